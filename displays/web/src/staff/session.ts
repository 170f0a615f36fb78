/** Who is signed in on a staff page, and the page that belongs to a role. */
import { ApiProblem, hallPath, Intention, request } from '../core/api'
import { hallId } from '../core/hall'
import type { Session } from '../core/wire'

export const hall = hallId()

export function path(...parts: string[]): string {
  return hallPath(hall, ...parts)
}

/** To the sign-in page and back here afterwards. */
export function goLogin(): void {
  location.replace(`/login?to=${encodeURIComponent(location.pathname + location.search)}`)
}

/** The session, or null after leaving for the sign-in page; throws when the server cannot say. */
export async function readSession(): Promise<Session | null> {
  try {
    const session = await request<Session>(path('session'))
    if (!session.must_change_password) return session
  } catch (error) {
    if (!(error instanceof ApiProblem) || (error.status !== 401 && error.status !== 403 && error.status !== 404)) throw error
  }
  goLogin()
  return null
}

export async function signOut(): Promise<void> {
  await request(path('session'), { method: 'DELETE', intention: new Intention() })
  location.replace('/login')
}

/** The first page of a role (UX C-10). A clerk who also manages goes where they sat down. */
export function homeOf(session: Pick<Session, 'roles' | 'window'>): string {
  const has = (role: string) => session.roles.includes(role)
  if (session.window !== '' && has('clerk')) return '/console'
  if (has('manager') || has('admin') || has('auditor')) return '/manager'
  if (has('guide') || has('desk')) return '/guide'
  return '/console'
}

/** Where to go after signing in: `to` when it is one of our own staff pages and the role may be there. */
export function destination(session: Pick<Session, 'roles' | 'window'>, to: string | null): string {
  const pages: Record<string, string[]> = { '/console': ['clerk'], '/strip': ['clerk'], '/manager': ['manager', 'admin', 'auditor'], '/guide': ['guide', 'desk', 'manager'] }
  const page = to === null ? '' : to.split('?')[0]
  const roles = pages[page]
  return to !== null && roles !== undefined && session.roles.some((role) => roles.includes(role)) ? to : homeOf(session)
}
