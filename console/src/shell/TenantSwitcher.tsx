import { Check, ChevronsUpDown } from 'lucide-react'
import { Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components/Menu'
import { useNavigate } from 'react-router'
import { paths } from '../paths.ts'
import { Button } from '../ui/Button.tsx'
import { UserText } from '../ui/UserText.tsx'
import { roleNames } from './roleNames.ts'
import { useShell } from './useShell.ts'

/** Shows the workspace, and switches to another if the person has several. */
export function TenantSwitcher() {
  const viewer = useShell()?.viewer
  const navigate = useNavigate()
  if (!viewer) return <div className="tenant" />
  if (viewer.tenants.length < 2) {
    return (
      <div className="tenant tenant-only">
        <UserText>{viewer.tenant.name}</UserText>
      </div>
    )
  }
  return (
    <div className="tenant">
      <MenuTrigger>
        <Button aria-label={`Workspace: ${viewer.tenant.name}. Choose another`}>
          <UserText>{viewer.tenant.name}</UserText>
          <ChevronsUpDown size={16} aria-hidden />
        </Button>
        <Popover className="menu-popover" placement="bottom start">
          <Menu className="menu" aria-label="Workspaces" onAction={(slug) => void navigate(paths.files(String(slug)))}>
            {viewer.tenants.map(({ slug, name, role }) => (
              <MenuItem key={slug} id={slug} className="menu-item" textValue={name}>
                <UserText>{name}</UserText>
                <span className="menu-hint">{roleNames[role]}</span>
                {slug === viewer.tenant.slug && <Check size={16} aria-label="open now" />}
              </MenuItem>
            ))}
          </Menu>
        </Popover>
      </MenuTrigger>
    </div>
  )
}
