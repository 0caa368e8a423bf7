import './session.css'
import { useActionState } from 'react'
import { useNavigate, useSearchParams } from 'react-router'
import { forgetClients } from '../apollo/tenantClients.ts'
import { returnPlace } from '../paths.ts'
import { Button } from '../ui/Button.tsx'
import { Logo } from '../ui/Logo.tsx'
import { uploads } from '../uploads/uploads.ts'
import { signIn } from './session.ts'

export function SignInPage() {
  const [query] = useSearchParams()
  const navigate = useNavigate()
  const [failure, submit, isPending] = useActionState(async (_before: Failure | null, form: FormData) => {
    const email = String(form.get('email'))
    const words = await signIn(email, String(form.get('password')))
    if (words) return { words, email }
    // Another person may have been signed in before. Their data must not be shown.
    forgetClients()
    await navigate(returnPlace(query), { replace: true })
    return null
  }, null)

  return (
    <main className="sign-in">
      <title>Sign in · Filegraph</title>
      <form className="sign-in-card" action={submit}>
        <div className="sign-in-brand">
          <Logo size={44} />
          <h1>Sign in to Filegraph</h1>
        </div>
        <PausedUploads />
        <div className="field">
          <label htmlFor="email">E-mail</label>
          <input
            id="email"
            name="email"
            type="email"
            className="input"
            autoComplete="username"
            defaultValue={failure?.email}
            required
            autoFocus
          />
        </div>
        <div className="field">
          <label htmlFor="password">Password</label>
          <input
            id="password"
            name="password"
            type="password"
            className="input"
            autoComplete="current-password"
            aria-describedby="sign-in-failure"
            required
          />
        </div>
        <p id="sign-in-failure" className="field-error" role="alert">
          {!isPending && failure?.words}
        </p>
        <Button type="submit" look="primary" isPending={isPending}>
          {isPending ? 'Signing in …' : 'Sign in'}
        </Button>
      </form>
    </main>
  )
}

/** Says that uploads were paused because the session ended. The tab keeps them for the same person. */
function PausedUploads() {
  const count = uploads.unfinishedCount()
  if (count === 0) return null
  return (
    <p className="soft" role="status">
      {count === 1 ? '1 upload is' : `${count} uploads are`} paused. Sign in again with the same account to continue.
    </p>
  )
}

interface Failure {
  readonly words: string
  readonly email: string
}
