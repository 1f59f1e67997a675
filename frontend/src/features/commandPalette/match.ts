/** How well the letters of `wanted` are found in `text`, in their order; 0 when they aren't. */
export function matchScore(text: string, wanted: string) {
  const haystack = text.toLowerCase()
  const needle = wanted.toLowerCase().trim()
  if (!needle) return 1
  const at = haystack.indexOf(needle)
  if (at === 0) return 100
  if (at > 0) return haystack[at - 1] === ' ' ? 80 : 60
  let from = 0
  let gaps = 0
  for (const letter of needle.replaceAll(' ', '')) {
    const found = haystack.indexOf(letter, from)
    if (found < 0) return 0
    gaps += found - from
    from = found + 1
  }
  return Math.max(1, 40 - gaps)
}
