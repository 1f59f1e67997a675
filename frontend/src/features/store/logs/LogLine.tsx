import { Box } from '@mui/material'
import { memo } from 'react'
import { vars } from '@/shared/tokens'
import type { NumberedLine } from './useLogs'

/** What a line seems to be, by its words and HTTP status: for the colour of its edge only. */
export function levelOf(line: string): 'bad' | 'warn' | 'plain' {
  if (/\b(fatal|error|critical)\b|" 5\d\d /i.test(line)) return 'bad'
  if (/\b(warn(ing)?|deprecated)\b|" 4\d\d /i.test(line)) return 'warn'
  return 'plain'
}
const EDGES = { bad: `inset 2px 0 ${vars.terminalBad}`, warn: `inset 2px 0 ${vars.terminalWarn}`, plain: 'none' }

/** 12:47:58.339 */
function clock(at: string) {
  const date = new Date(at)
  return `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

interface LogLineProps {
  line: NumberedLine
  wrap: boolean
  filter: string
}

/** A printed line, or a notice across the view. All of it is text. */
export const LogLine = memo(function LogLine({ line: { kind, at, line }, wrap, filter }: LogLineProps) {
  if (kind === 'NOTICE') return <Box sx={notice}>{line}</Box>
  return (
    <Box sx={{ ...row, minWidth: wrap ? 0 : 'max-content', boxShadow: EDGES[levelOf(line)] }}>
      <Box component="span" sx={time}>
        {clock(at)}
      </Box>
      <Box component="span" sx={{ whiteSpace: wrap ? 'pre-wrap' : 'pre', overflowWrap: 'anywhere', minWidth: 0 }}>
        {filter ? <Marked text={line} part={filter} /> : line}
      </Box>
    </Box>
  )
})

function Marked({ text, part }: { text: string; part: string }) {
  const at = text.toLowerCase().indexOf(part)
  if (at < 0) return text
  return (
    <>
      {text.slice(0, at)}
      <Box component="mark" sx={{ bgcolor: vars.terminalWarn, color: vars.terminal, borderRadius: '2px' }}>
        {text.slice(at, at + part.length)}
      </Box>
      {text.slice(at + part.length)}
    </>
  )
}

const row = { display: 'flex', gap: 3.5, px: 4, '&:hover': { bgcolor: vars.terminalBorder } }
const time = {
  color: vars.terminalTextSecondary,
  flex: 'none',
  userSelect: 'none',
  display: { xs: 'none', sm: 'block' },
}
const notice = {
  display: 'flex',
  alignItems: 'center',
  gap: 3,
  px: 4,
  my: 1.5,
  color: vars.terminalTextSecondary,
  '&::before, &::after': { content: '""', flex: 1, borderTop: `1px dashed ${vars.terminalBorder}` },
}
