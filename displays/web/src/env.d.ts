/** What the build puts into a page. Named here one by one: vite's own types would let newer built-ins through. */
interface ImportMeta {
  readonly env: { readonly DEV: boolean }
}

declare module '*.css'
declare module '*.wav?url' {
  const url: string
  export default url
}
declare module '*.vue' {
  import type { DefineComponent } from 'vue'
  const component: DefineComponent<object, object, unknown>
  export default component
}
