import IconButton from '@mui/material/IconButton'
import { useEffect, useRef, useState } from 'react'
import { t } from '@/shared/i18n'
import { Check, Copy } from '@/shared/icons'
import { vars } from '@/shared/tokens'

const FEEDBACK_MS = 1500

/** Copies `text`; `label` says what it is, such as "Copy the address". */
export function CopyButton({ text, label, size = 28 }: { text: string; label: string; size?: number }) {
  const [copied, setCopied] = useState(false)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => setCopied(false), FEEDBACK_MS)
  }
  return (
    <IconButton
      aria-label={copied ? t('copy.done') : label}
      title={copied ? t('copy.done') : label}
      size="small"
      sx={{ width: size, height: size, flex: 'none' }}
      onClick={() => void copy()}
    >
      {copied ? <Check sx={{ fontSize: 15, color: vars.readyFg }} /> : <Copy sx={{ fontSize: 15 }} />}
    </IconButton>
  )
}
