// Chromium screenshots of every page of scripts/look.json at its real size into look-out/, or with --axe their faults.
// `npm run look -- hall` takes those whose name holds "hall". CHROMIUM names another browser.
import { mkdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { chromium } from 'playwright-core'
import { createServer } from 'vite'

const root = resolve(import.meta.dirname, '..')
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const axe = process.argv.includes('--axe') ? readFileSync(resolve(root, 'node_modules/axe-core/axe.min.js'), 'utf8') : null
const shots = JSON.parse(readFileSync(resolve(root, 'scripts/look.json'), 'utf8')).filter(([name]) => words.length === 0 || words.some((word) => name.includes(word)))

const server = await createServer({ root, configFile: resolve(root, 'vite.config.ts'), server: { port: 0, host: '127.0.0.1', hmr: false }, logLevel: 'error' })
await server.listen()
const base = server.resolvedUrls.local[0]
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})
mkdirSync(resolve(root, 'look-out'), { recursive: true })
let faults = 0

/** One step before the picture: a text to click, or `button:`name, `wait:`ms, `hold:`selector (six seconds), `type:`text. */
async function take(page, word) {
  const [, kind, what] = /^(button|wait|hold|type):(.+)$/.exec(word) ?? [null, 'text', word]
  if (kind === 'wait') return page.waitForTimeout(Number(what))
  if (kind === 'type') return page.keyboard.type(what)
  if (kind === 'button') return page.getByRole('button', { name: what, exact: true }).first().click()
  if (kind === 'text') return page.getByText(what, { exact: false }).first().click()
  await page.locator(what).first().hover()
  await page.mouse.down()
  await page.waitForTimeout(5400)
  return page.mouse.up()
}

for (const [name, path, width, height, step] of shots) {
  const page = await browser.newPage({ viewport: { width, height } })
  page.setDefaultTimeout(6000)
  page.setDefaultNavigationTimeout(30_000)
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return
    console.error(`${name}: ${message.text()}`)
    faults += 1
  })
  page.on('pageerror', (error) => {
    console.error(`${name}: ${error.message}`)
    faults += 1
  })
  await page.goto(base + path)
  await page.waitForTimeout(path.startsWith('hall') && !axe ? 6300 : 1500)
  for (const word of step ? [].concat(step) : []) {
    try {
      await take(page, word)
    } catch {
      console.error(`${name}: nothing to press: ${word}`)
      faults += 1
    }
    await page.waitForTimeout(400)
  }
  const spill = await page.evaluate((shift) => {
    // Hall and window move by up to 8 px a minute on purpose; the window bleeds as much over its edge.
    const over = []
    const slack = shift * Math.max(innerWidth, innerHeight) + 1
    for (const element of document.querySelectorAll('#app *')) {
      const box = element.getBoundingClientRect()
      // What is cut off inside its own box: a kiosk has nothing that scrolls.
      if (document.documentElement.classList.contains('say') && box.height > 0 && box.bottom > innerHeight + 1) over.push(`${element.className || element.tagName} (down)`)
      if (document.documentElement.classList.contains('kiosk') && box.height > 0 && (box.bottom > innerHeight + 1 || /tile|take|btn|work/.test(element.className) && element.scrollHeight > element.clientHeight + 3)) over.push(`${element.className || element.tagName} (down)`)
      // What stands in the middle of a row is cut at both its ends when it is too high for it.
      if (element.matches('.hit .name') && box.top < element.closest('.take').getBoundingClientRect().top) over.push('name (up)')
      if (box.width > 0 && box.height > 0 && (box.right > innerWidth + slack || box.left < -slack)) over.push(element.className || element.tagName)
    }
    return over
  }, name.startsWith('hall') ? 8 / 1920 : name.startsWith('window') ? 17 / 1024 : 0)
  if (spill.length > 0) {
    console.error(`${name}: over the edge: ${spill.join(', ')}`)
    faults += 1
  }
  if (axe) {
    await page.evaluate(axe)
    const found = await page.evaluate(() => window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }))
    for (const rule of found.violations) console.error(`${name}: ${rule.id}: ${rule.help}\n  ${rule.nodes.map((node) => node.html.slice(0, 120)).join('\n  ')}`)
    faults += found.violations.length
  } else await page.screenshot({ path: resolve(root, 'look-out', `${name}.png`) })
  await page.close()
}
await browser.close()
await server.close()
console.log(`${shots.length} pages, ${faults} faults`)
process.exit(faults === 0 ? 0 : 1)
