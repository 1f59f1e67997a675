import createCache from '@emotion/cache'

/**
 * `speedy`: <style> elements stay empty and rules go in through the CSSOM, so the policy needs the hash of the empty
 * string only. Right-to-left languages mirror each rule.
 */
export async function createEmotionCache(direction: 'ltr' | 'rtl') {
  if (direction === 'ltr') return createCache({ key: 'sf', speedy: true })
  const { default: mirror } = await import('@mui/stylis-plugin-rtl')
  return createCache({ key: 'sf-rtl', speedy: true, stylisPlugins: [mirror] })
}
