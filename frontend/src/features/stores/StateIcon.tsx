import { t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'
import { DISPLAY, TONES, displayState, progressOf, type DisplayState } from './state'
import type { Store } from './documents'
import css from './StateIcon.module.css'
import tones from './tones.module.css'

const CIRCUMFERENCE = 2 * Math.PI * 6
const line = { fill: 'none', stroke: 'currentColor', strokeLinecap: 'round', strokeLinejoin: 'round' } as const
const cutout = { fill: 'none', stroke: vars.surface, strokeLinecap: 'round', strokeLinejoin: 'round' } as const

const dashed = <circle cx="8" cy="8" r="6" {...line} strokeWidth="1.75" strokeDasharray="2.1 2.612" />
const OCTAGON =
  'M5.4 1.2h5.2a1.2 1.2 0 0 1 .9.4l2.9 2.9c.3.2.4.5.4.9v5.2c0 .4-.1.7-.4.9l-2.9 2.9a1.2 1.2 0 0 1-.9.4H5.4a1.2 1.2 0 0 1-.9-.4l-2.9-2.9a1.2 1.2 0 0 1-.4-.9V5.4c0-.4.1-.7.4-.9l2.9-2.9c.2-.3.5-.4.9-.4z'

/** Marks inside the ring of a store on its way. */
const RING_MARKS: Partial<Record<DisplayState, React.ReactNode>> = {
  provisioning: <circle cx="8" cy="8" r="2" fill="currentColor" />,
  updating: <path d="M8 10.4V6M6.2 7.5 8 5.7l1.8 1.8" {...line} strokeWidth="1.5" />,
  resuming: <path d="M7 5.8v4.4L10.3 8z" fill="currentColor" stroke="currentColor" strokeWidth="0.6" />,
  suspending: <path d="M6.9 6.2v3.6M9.1 6.2v3.6" {...line} strokeWidth="1.4" />,
}
const SHAPES: Partial<Record<DisplayState, React.ReactNode>> = {
  requested: dashed,
  ready: (
    <>
      <circle cx="8" cy="8" r="7" fill="currentColor" />
      <path d="m4.9 8.3 2.1 2.1 4.2-4.5" {...cutout} strokeWidth="1.7" />
    </>
  ),
  degraded: (
    <>
      <path d="M7 2.2a1.2 1.2 0 0 1 2 0l5.7 9.9a1.2 1.2 0 0 1-1 1.8H2.3a1.2 1.2 0 0 1-1-1.8z" fill="currentColor" />
      <path d="M8 6v3" {...cutout} strokeWidth="1.7" />
      <circle cx="8" cy="11.5" r="0.95" fill={vars.surface} />
    </>
  ),
  down: (
    <>
      <rect x="2.9" y="2.9" width="10.2" height="10.2" rx="1.6" transform="rotate(45 8 8)" fill="currentColor" />
      <path d="M5.2 8h5.6" {...cutout} strokeWidth="1.9" />
    </>
  ),
  failed: (
    <>
      <path d={OCTAGON} fill="currentColor" />
      <path d="m5.9 5.9 4.2 4.2m0-4.2-4.2 4.2" {...cutout} strokeWidth="1.7" />
    </>
  ),
  suspended: (
    <>
      <rect x="1.5" y="1.5" width="13" height="13" rx="3.2" fill="currentColor" />
      <path d="M6.2 5.6v4.8M9.8 5.6v4.8" {...cutout} strokeWidth="1.8" />
    </>
  ),
  deleting: (
    <>
      {dashed}
      <path d="m6.2 6.2 3.6 3.6m0-3.6L6.2 9.8" {...line} strokeWidth="1.5" />
    </>
  ),
  deleted: (
    <>
      <circle cx="8" cy="8" r="6" {...line} strokeWidth="1.75" />
      <path d="m4 12 8-8" {...line} strokeWidth="1.5" />
    </>
  ),
}

const Arc = ({ part }: { part: number }) => (
  <circle
    cx="8"
    cy="8"
    r="6"
    {...line}
    strokeWidth="2"
    strokeDasharray={`${CIRCUMFERENCE * part} ${CIRCUMFERENCE}`}
    transform="rotate(-90 8 8)"
  />
)

/** The icon of a state: each shape can be told from the others without colours. `part`: how much is done, 0 to 1. */
export function StateIcon({ state, size = 16, part = 0 }: { state: DisplayState; size?: number; part?: number }) {
  const { tone } = DISPLAY[state]
  const mark = RING_MARKS[state]
  return (
    <span aria-hidden className={`${css.icon} ${tones[tone]}`}>
      <svg viewBox="0 0 16 16" width={size} height={size} className={css.shape}>
        {mark ? (
          <>
            <circle cx="8" cy="8" r="6" fill="none" stroke={TONES[tone].border} strokeWidth="2" />
            {part > 0 && <Arc part={part} />}
            {mark}
          </>
        ) : (
          SHAPES[state]
        )}
      </svg>
      {/* What turns is an element of its own: a part of an SVG that moves is laid out and painted in each frame. */}
      {mark && part === 0 && (
        <span className={css.turning}>
          <svg viewBox="0 0 16 16" width={size} height={size} className={css.shape}>
            <Arc part={0.25} />
          </svg>
        </span>
      )}
    </span>
  )
}

export function StoreStateIcon({ store, size = 16 }: { store: Store; size?: number }) {
  const { done, total } = progressOf(store, undefined)
  return <StateIcon state={displayState(store)} size={size} part={total ? done / total : 0} />
}

/** Icon and name of the state, on a tint. */
export function StateTag({ store }: { store: Store }) {
  const state = displayState(store)
  const { tone } = DISPLAY[state]
  return (
    <span className={`${css.tag} ${tones[tone]}`} style={{ backgroundColor: TONES[tone].bg }}>
      <StoreStateIcon store={store} />
      {t(`state.${state}`)}
    </span>
  )
}
