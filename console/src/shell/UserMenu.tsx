import { Braces, Check, CircleUserRound, LogOut } from 'lucide-react'
import { Suspense, useState } from 'react'
import { Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover, Separator } from 'react-aria-components/Menu'
import { useNavigate } from 'react-router'
import { wordFailure } from '../apollo/takeSuccess.ts'
import { forgetClients } from '../apollo/tenantClients.ts'
import { serverPath } from '../basePath.ts'
import { paths } from '../paths.ts'
import { signOut } from '../session/session.ts'
import type { SignOutQuestion } from '../session/SignOutDialog.tsx'
import { Button } from '../ui/Button.tsx'
import { chooseTheme, type Theme, themes, useTheme } from '../ui/theme.ts'
import { UserText } from '../ui/UserText.tsx'
import { forgetUploads, uploads } from '../uploads/uploads.ts'
import { roleNames } from './roleNames.ts'
import { useShell } from './useShell.ts'
import { lazyPart } from '../ui/lazyPart.ts'

const SignOutDialog = lazyPart(() => import('../session/SignOutDialog.tsx').then((part) => part.SignOutDialog))

const themeNames: Record<Theme, string> = { system: 'System', light: 'Light', dark: 'Dark' }

/** The signed-in person and role, the theme, GraphiQL and signing out. */
export function UserMenu() {
  const viewer = useShell()?.viewer
  const theme = useTheme()
  const navigate = useNavigate()
  const [question, setQuestion] = useState<SignOutQuestion | null>(null)
  const endSession = async () => {
    await uploads.holdForSignOut()
    await signOut().catch((error: unknown) => {
      uploads.resume()
      throw error
    })
    forgetUploads()
    await navigate(paths.signIn(), { replace: true })
    forgetClients()
  }
  const leave = async () => {
    const lostUploads = uploads.unfinishedCount()
    if (lostUploads > 0) return setQuestion({ lostUploads, failure: null })
    await endSession().catch((error: unknown) => setQuestion({ lostUploads, failure: wordFailure(error) }))
  }
  return (
    <div className="user">
      <MenuTrigger>
        <Button look="quiet" aria-label={`Account${viewer ? `: ${viewer.principal.name}` : ''}`}>
          <CircleUserRound size={20} aria-hidden />
          <span className="user-name">{viewer && <UserText>{viewer.principal.name}</UserText>}</span>
        </Button>
        <Popover className="menu-popover" placement="top start">
          <Menu className="menu" aria-label="Account">
            <MenuSection>
              <Header className="menu-header">
                <UserText>{viewer?.principal.name ?? ''}</UserText>
                <div className="soft">{viewer && roleNames[viewer.role]}</div>
                <div className="soft">
                  <UserText>{viewer?.principal.email ?? ''}</UserText>
                </div>
              </Header>
              <MenuItem
                className="menu-item"
                textValue="GraphiQL"
                onAction={() => window.open(serverPath(paths.graphiql()), '_blank', 'noopener')}
              >
                <Braces size={16} aria-hidden /> GraphiQL
              </MenuItem>
            </MenuSection>
            <Separator className="menu-separator" />
            <MenuSection aria-label="Theme" selectionMode="single" selectedKeys={[theme]} disallowEmptySelection>
              {themes.map((each) => (
                <MenuItem
                  key={each}
                  id={each}
                  className="menu-item"
                  textValue={themeNames[each]}
                  onAction={() => chooseTheme(each)}
                >
                  {themeNames[each]}
                  {theme === each && <Check size={16} className="menu-hint" aria-hidden />}
                </MenuItem>
              ))}
            </MenuSection>
            <Separator className="menu-separator" />
            <MenuItem className="menu-item" textValue="Sign out" onAction={() => void leave()}>
              <LogOut size={16} aria-hidden /> Sign out
            </MenuItem>
          </Menu>
        </Popover>
      </MenuTrigger>
      <Suspense>
        {question && <SignOutDialog {...question} run={endSession} onClose={() => setQuestion(null)} />}
      </Suspense>
    </div>
  )
}
