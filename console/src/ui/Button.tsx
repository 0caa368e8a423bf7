import { Button as Pressable, type ButtonProps } from 'react-aria-components/Button'

type Look = 'plain' | 'primary' | 'danger' | 'quiet' | 'icon'

export function Button({ look = 'plain', ...props }: ButtonProps & { look?: Look }) {
  return <Pressable {...props} className={look === 'plain' ? 'button' : `button button-${look}`} />
}
