/** UX X-10: both languages have every text, with the same values in it. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

type Tree = { [key: string]: string | Tree }

function flat(tree: Tree, prefix = ''): Record<string, string> {
  return Object.assign({}, ...Object.entries(tree).map(([key, value]) => (typeof value === 'string' ? { [prefix + key]: value } : flat(value, `${prefix}${key}.`)))) as Record<string, string>
}

function find(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? find(path) : name === 'zh-CN.json' ? [path] : []
  })
}

const root = resolve(import.meta.dirname, '..', 'src')
const read = (path: string) => flat(JSON.parse(readFileSync(path, 'utf8')) as Tree)
const holes = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort()

describe.each(find(root).map((path) => path.slice(root.length + 1)))('%s', (path) => {
  const zh = read(join(root, path))
  const en = read(join(root, path.replace('zh-CN.json', 'en.json')))

  it('has the same keys in both languages', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort())
  })
  it('fills the same values in both languages', () => {
    for (const key of Object.keys(zh)) expect([key, holes(en[key])]).toEqual([key, holes(zh[key])])
  })
  it('puts no space before a percent sign', () => {
    for (const text of [...Object.values(zh), ...Object.values(en)]) expect(text).not.toMatch(/\s%/)
  })
  it('has no empty text', () => {
    for (const [key, text] of [...Object.entries(zh), ...Object.entries(en)]) expect([key, text.trim()]).not.toEqual([key, ''])
  })
})

describe('keys used by the screens', () => {
  it('all exist', () => {
    const known = new Set(find(root).flatMap((path) => Object.keys(read(path))))
    const sources = (folder: string): string[] => readdirSync(folder).flatMap((name) => {
      const path = join(folder, name)
      return statSync(path).isDirectory() ? sources(path) : /\.(vue|ts)$/.test(name) ? [path] : []
    })
    const used = sources(root).flatMap((path) => [...readFileSync(path, 'utf8').matchAll(/\bt\('([\w.]+)'/g)].map((match) => match[1]))
    expect(used.length).toBeGreaterThan(0)
    expect(used.filter((key) => !known.has(key))).toEqual([])
  })
})
