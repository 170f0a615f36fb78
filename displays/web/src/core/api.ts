/** HTTP to the server: one key per intention, a time limit, and problems as sentences in the user's language. */
import type { Problem } from './wire'
import type { Locale } from './i18n'

export const TIMEOUT_MS = 8000

/** Why a request did not do what was asked; `code` is stable, `status` 0 when no answer came in time. */
export class ApiProblem extends Error {
  readonly status: number
  readonly code: string
  readonly title: string
  readonly titleEn: string
  readonly field: string
  /** Numbers to choose between (number-ambiguous). */
  readonly choices: string[]

  constructor(problem: Pick<Problem, 'status' | 'code' | 'title' | 'title_en' | 'field'> & { figures?: Problem['figures'] }) {
    super(problem.code)
    this.status = problem.status
    this.code = problem.code
    this.title = problem.title
    this.titleEn = problem.title_en
    this.field = problem.field
    const choices = problem.figures?.choices
    this.choices = Array.isArray(choices) ? choices : []
  }

  /** The sentence that says what to do next; "" when the server sent none, so the page says its own. */
  sentence(locale: Locale): string {
    return locale === 'en' ? this.titleEn || this.title : this.title
  }
}

/**
 * 128 bits as hex: the time in 48, as in RFC 9562's version 7, so that the server's index of keys grows at its end, and 80 random
 * ones. `crypto.randomUUID` needs a secure context, which a LAN is not (UX X-13).
 */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10))
  const random = Array.from(bytes, (byte) => (byte < 16 ? '0' : '') + byte.toString(16)).join('')
  return `00000000000${Date.now().toString(16)}`.slice(-12) + random
}

/**
 * One thing a person meant to do (UX X-12). A tap, a double tap and a retry after a lost answer share the key, so they
 * have one effect; `renew` starts the next intention, after an answer.
 */
export class Intention {
  private key = newKey()
  /** The intention that a page already keeps a key of. */
  static of(key: string): Intention {
    const intention = new Intention()
    intention.key = key
    return intention
  }
  get value(): string {
    return this.key
  }
  renew(): void {
    this.key = newKey()
  }
}

export interface Request {
  method?: 'GET' | 'POST' | 'DELETE'
  body?: unknown
  token?: string
  query?: Record<string, string>
  intention?: Intention
  timeoutMs?: number
}

function unanswered(code: string): ApiProblem {
  return new ApiProblem({ status: 0, code, title: '', title_en: '', field: '' })
}

/** Chrome 64 has no AbortController: the answer of a request that timed out is dropped, and its key makes that safe. */
function within<T>(work: Promise<T>, limitMs: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(unanswered('timeout')), limitMs)
    work.then(resolve, () => reject(unanswered('unreachable'))).then(() => clearTimeout(timer))
  })
}

async function problemOf(response: Response): Promise<ApiProblem> {
  try {
    return new ApiProblem((await response.json()) as Problem)
  } catch {
    return new ApiProblem({ status: response.status, code: 'unreadable', title: '', title_en: '', field: '' })
  }
}

/** JSON of a successful answer; throws ApiProblem for everything else. */
export async function request<T>(path: string, options: Request = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (options.body !== undefined) headers['Content-Type'] = 'application/json'
  if (options.token) headers['Authorization'] = `Bearer ${options.token}`
  if (options.intention) headers['Idempotency-Key'] = options.intention.value
  const query = options.query === undefined ? '' : `?${new URLSearchParams(options.query).toString()}`
  const asked = fetch(path + query, {
    method: options.method ?? (options.body === undefined ? 'GET' : 'POST'),
    headers,
    body: options.body === undefined ? undefined : JSON.stringify(options.body),
    credentials: 'same-origin',
    cache: 'no-store',
  })
  const response = await within(asked, options.timeoutMs ?? TIMEOUT_MS)
  if (!response.ok) throw await problemOf(response)
  if (response.status === 204) return undefined as unknown as T
  return within(response.json() as Promise<T>, options.timeoutMs ?? TIMEOUT_MS)
}

/** Path of a hall's resource: `hallPath('yunshui', 'tickets')`. */
export function hallPath(hall: string, ...parts: string[]): string {
  return ['/api/v1/halls', ...[hall, ...parts].map(encodeURIComponent)].join('/')
}
