import '@fontsource-variable/hanken-grotesk/wght.css'
import '@fontsource-variable/geist-mono/wght.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { loadCatalogue } from '@/shared/i18n'
import { direction, language } from '@/shared/i18n/locale'
import { App } from './App'
import { createEmotionCache } from './emotionCache'

document.documentElement.lang = language
document.documentElement.dir = direction

const [cache] = await Promise.all([createEmotionCache(direction), loadCatalogue()])
const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App cache={cache} />
    </StrictMode>,
  )
}
