import createCache, { type StylisPlugin } from '@emotion/cache'

/** Material UI has a rule for Firefox before version 88. Browsers that don't know it throw, which takes time. */
const withoutOldFirefox: StylisPlugin = (element) => {
  if (element.type === 'rule' && element.value.includes('::-moz-focus-inner')) element.children = []
}

/**
 * `speedy`: <style> elements stay empty and rules go in through the CSSOM, so the policy needs the hash of the empty
 * string only. Without Emotion's prefixes: the browsers of vite.config.ts need none. Right-to-left languages mirror
 * each rule.
 */
export async function createEmotionCache(direction: 'ltr' | 'rtl') {
  if (direction === 'ltr') return createCache({ key: 'sf', speedy: true, stylisPlugins: [withoutOldFirefox] })
  const { default: mirror } = await import('@mui/stylis-plugin-rtl')
  return createCache({ key: 'sf-rtl', speedy: true, stylisPlugins: [withoutOldFirefox, mirror] })
}
