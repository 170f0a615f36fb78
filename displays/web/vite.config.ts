/** One HTML entry a screen, listed in entries.json; everything is built for Chrome 64 and served under /static/. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

const entries = Object.keys(JSON.parse(readFileSync(resolve(import.meta.dirname, 'entries.json'), 'utf8')) as Record<string, unknown>)

export default defineConfig({
  base: '/static/',
  publicDir: false,
  plugins: [vue()],
  define: { __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false', __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false' },
  build: {
    target: 'chrome64',
    cssTarget: 'chrome64',
    manifest: true,
    // Inlined files would need `data:` in the content policy, and the preload helper is not needed by engines that old.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      // Recorded documents are for the development server: nothing of them is reached in a build, so nothing stays.
      treeshake: { moduleSideEffects: (id) => !id.includes('/src/fixtures/') },
      input: entries.map((name) => resolve(import.meta.dirname, `${name}.html`)),
    },
  },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
})
