import { t } from '@/shared/i18n'
import css from './Skeleton.module.css'

/** Still grey bars; nothing for the first 150 ms, so that a quick answer doesn't flicker. */
export function StoresSkeleton() {
  return (
    <div role="status" aria-label={t('loading')} className={css.rows}>
      {Array.from({ length: 6 }, (_, i) => (
        <div key={i}>
          <Bar width={18} height={18} />
          <Bar width={160 - (i % 3) * 24} />
          <Bar width={240 - (i % 4) * 32} />
        </div>
      ))}
    </div>
  )
}

function Bar({ width, height = 12 }: { width: number | string; height?: number }) {
  return <div aria-hidden className={css.bar} style={{ width, height, flexShrink: height === width ? 0 : 1 }} />
}

/** Lines of text before they are there. */
export function TextSkeleton() {
  return (
    <div role="status" aria-label={t('loading')} className={css.text}>
      <Bar width={320} />
      <Bar width={260} />
    </div>
  )
}

/** A page before its code or its first answer is there. */
export function PageSkeleton() {
  return (
    <div role="status" aria-label={t('loading')} className={css.page}>
      <Bar width={140} />
      <Bar width={320} height={28} />
      <Bar width={280} />
      <div className={css.card} />
    </div>
  )
}
