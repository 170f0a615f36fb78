/** UX C-08: the strip stays on top where the browser can (Document Picture-in-Picture), and is a small window everywhere else. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Desk } from '../src/console/useDesk'

vi.mock('../src/strip/DeskStrip.vue', () => ({ default: { props: ['at', 'page'], render: () => 'A012' } }))

/** As much of a document as mounting one text needs. */
class Node {
  className = ''
  lang = ''
  text: string
  parentNode: Node | null = null
  children: Node[] = []
  constructor(text = '') {
    this.text = text
  }
  set textContent(to: string) {
    this.children = []
    this.text = to
  }
  append(child: Node) {
    this.insertBefore(child)
  }
  insertBefore(child: Node) {
    child.parentNode = this
    this.children.push(child)
  }
  removeChild(child: Node) {
    this.children = this.children.filter((each) => each !== child)
  }
  setAttribute() {}
  removeAttribute() {}
  cloneNode() {
    return new Node(this.text)
  }
  get all(): string {
    return this.text + this.children.map((child) => child.all).join('')
  }
}

class Page {
  documentElement = new Node()
  head = new Node()
  body = new Node()
  createElement = () => new Node()
  createTextNode = (text: string) => new Node(text)
  createComment = () => new Node()
  querySelectorAll = () => [new Node('tokens.css'), new Node('strip.css')]
}

const kept = new Map<string, string>()
const opened: string[][] = []
const page = new Page()
const browser = { open: (...given: string[]) => { opened.push(given); return { focus: () => undefined } }, screenX: 1700, screenY: 12 } as Record<string, unknown>
page.documentElement.lang = 'zh-CN'
vi.stubGlobal('document', page)
for (const kind of ['Element', 'SVGElement']) vi.stubGlobal(kind, class {})
vi.stubGlobal('window', browser)
vi.stubGlobal('localStorage', { getItem: (name: string) => kept.get(name) ?? null, setItem: (name: string, value: string) => kept.set(name, value) })
// Vue keeps the document that stands when it is first loaded.
const { openStrip, rememberPlace } = await import('../src/console/openStrip')

const desk = {} as Desk
const SMALL = (at: string) => ['/strip', 'yichuang-strip', `popup,width=480,height=56,${at}`]

beforeEach(() => {
  kept.clear()
  opened.length = 0
})
afterEach(() => {
  delete browser.documentPictureInPicture
})

describe('UX C-08 the strip', () => {
  it('is a small window over plain HTTP, where the browser has no window that stays on top', () => {
    openStrip(desk)
    expect(opened).toEqual([SMALL('left=40,top=40')])
  })

  it('comes back where it stood on this monitor', () => {
    rememberPlace()
    openStrip(desk)
    expect(opened).toEqual([SMALL('left=1700,top=12')])
  })

  it('stays on top where the browser can: the same desk with the same styles, gone with its window', async () => {
    const held = new Page()
    const leaving: (() => void)[] = []
    const asked: unknown[] = []
    browser.documentPictureInPicture = { requestWindow: (size: unknown) => { asked.push(size); return Promise.resolve({ document: held, addEventListener: (_: string, run: () => void) => leaving.push(run) }) } }
    openStrip(desk)
    await vi.waitFor(() => expect(held.body.all).toBe('A012'))
    expect(asked).toEqual([{ width: 480, height: 56 }])
    expect([held.documentElement.className, held.documentElement.lang, held.head.all]).toEqual(['desk strip-page', 'zh-CN', 'tokens.cssstrip.css'])
    expect(opened).toEqual([])
    leaving.forEach((run) => run())
    expect(held.body.all).toBe('')
  })

  it('is a small window when the browser refuses the one on top', async () => {
    browser.documentPictureInPicture = { requestWindow: () => Promise.reject(new Error('no gesture')) }
    openStrip(desk)
    await vi.waitFor(() => expect(opened).toEqual([SMALL('left=40,top=40')]))
  })
})
