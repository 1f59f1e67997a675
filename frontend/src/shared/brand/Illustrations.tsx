import { Box } from '@mui/material'
import { vars } from '@/shared/tokens'

type AwningColours = [string, string]
interface ShopProps {
  x: number
  width: number
  height: number
  awning: AwningColours
  door: 'left' | 'right'
  closed?: boolean
}

const GREEN: AwningColours = [vars.stripe, vars.stripePale]
const SLATE: AwningColours = [vars.textTertiary, vars.border]
const SAND: AwningColours = [vars.borderStrong, vars.border]
const EMPTY: AwningColours = [vars.border, vars.surfaceSunken]
const GROUND = 200

const scallops = (x: number, y: number, width: number, drop: number, count: number) => {
  const one = width / count
  return Array.from(
    { length: count },
    (_, i) => `M${x + i * one} ${y}h${one}v${drop}a${one / 2} ${one / 2} 0 0 1 ${-one} 0z`,
  )
}

function Shop({ x, width, height, awning, door, closed = false }: ShopProps) {
  const top = GROUND - height
  const edge = { stroke: vars.borderStrong, strokeDasharray: closed ? '4 4' : undefined }
  const doorX = door === 'left' ? x + 14 : x + width - 44
  const windowX = door === 'left' ? x + 56 : x + 14
  const knobX = doorX + (door === 'left' ? 24 : 6)
  return (
    <g>
      <rect x={x} y={top} width={width} height={height} fill={vars.surface} {...edge} />
      <rect
        x={x + 14}
        y={top + 12}
        width={width - 28}
        height={10}
        rx={2}
        fill={closed ? vars.border : vars.surfaceSunken}
      />
      <rect
        x={windowX}
        y={top + 74}
        width={width - 70}
        height={height - 96}
        rx={3}
        fill={closed ? 'none' : vars.accentSoft}
        {...edge}
      />
      <rect
        x={doorX}
        y={top + 74}
        width={30}
        height={height - 74}
        rx={3}
        fill={closed ? 'none' : vars.surfaceSunken}
        {...edge}
      />
      {!closed && <circle cx={knobX} cy={top + 74 + (height - 74) / 2} r={1.8} fill={vars.textTertiary} />}
      {scallops(x - 5, top + 34, width + 10, closed ? 2 : 20, Math.round((width + 10) / 15)).map((d, i) => (
        <path key={d} d={d} fill={awning[i % 2]} />
      ))}
    </g>
  )
}

const SHOPS: [width: number, height: number, awning: AwningColours, door: 'left' | 'right'][] = [
  [118, 128, SAND, 'left'],
  [148, 160, GREEN, 'right'],
  [112, 122, SLATE, 'left'],
  [160, 148, SAND, 'right'],
  [124, 134, GREEN, 'left'],
  [146, 166, SAND, 'right'],
  [116, 124, GREEN, 'left'],
  [156, 150, SLATE, 'right'],
  [120, 132, GREEN, 'left'],
  [140, 160, SAND, 'right'],
  [114, 124, SLATE, 'left'],
]
const GAP = 18

/** A row of shops, below the sign-in form. */
export function SignInIllustration() {
  const starts = SHOPS.map((_, i) => SHOPS.slice(0, i).reduce((x, [width]) => x + width + GAP, -60))
  return (
    <Box
      component="svg"
      viewBox="0 0 1440 206"
      aria-hidden
      preserveAspectRatio="xMidYMax slice"
      sx={{ display: 'block', width: '100%', height: { xs: 150, sm: 206 } }}
    >
      {SHOPS.map(([width, height, awning, door], i) => (
        <Shop key={starts[i]} x={starts[i] ?? 0} width={width} height={height} awning={awning} door={door} />
      ))}
      <path d="M0 200.5h1440" stroke={vars.borderStrong} />
    </Box>
  )
}

/** One shop between two dashed ones: the account has no store yet. */
export function NoStoresIllustration() {
  return (
    <Box
      component="svg"
      viewBox="0 0 420 206"
      aria-hidden
      sx={{ display: 'block', width: 340, maxWidth: '100%', height: 'auto' }}
    >
      <Shop x={6} width={112} height={122} awning={EMPTY} door="left" closed />
      <Shop x={134} width={152} height={160} awning={GREEN} door="right" />
      <Shop x={302} width={112} height={122} awning={EMPTY} door="left" closed />
      <path d="M0 200.5h420" stroke={vars.borderStrong} />
    </Box>
  )
}
