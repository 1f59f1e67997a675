import { t } from '@/shared/i18n'
import { formatLocale } from '@/shared/i18n/locale'
import type { Plan } from './documents'

const numbers = new Intl.NumberFormat(formatLocale, { maximumFractionDigits: 2 })

/** What a plan gives, in words: "0.5 CPU", "832 MiB", "4 GiB". */
export function planText({ cpu, memory, disk }: Plan) {
  return {
    cpu: t('plan.cores', { n: numbers.format(cpu) }),
    memory: memory < 1024 ? `${numbers.format(memory)} MiB` : `${numbers.format(memory / 1024)} GiB`,
    disk: `${numbers.format(disk)} GiB`,
  }
}
