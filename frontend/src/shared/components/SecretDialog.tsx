import { Box, Button } from '@mui/material'
import { mono, vars } from '@/shared/tokens'
import { CopyButton } from './CopyButton'
import { FormDialog } from './FormDialog'

interface SecretDialogProps {
  title: string
  /** What it is for, and that it is shown only now. */
  text: string
  secret: string
  copyLabel: string
  doneLabel: string
  onDone: () => void
}

/** Shows what the API tells only once. Only its button closes it. */
export function SecretDialog({ title, text, secret, copyLabel, doneLabel, onDone }: SecretDialogProps) {
  return (
    <FormDialog
      open
      title={title}
      text={text}
      onClose={() => undefined}
      onSubmit={onDone}
      actions={
        <Button type="submit" variant="contained" color="primary">
          {doneLabel}
        </Button>
      }
    >
      <Box sx={well}>
        <Box component="code" dir="ltr" sx={{ flex: 1, minWidth: 0, fontFamily: mono, fontSize: '0.8125rem' }}>
          {secret}
        </Box>
        <CopyButton text={secret} label={copyLabel} size={32} />
      </Box>
    </FormDialog>
  )
}

const well = {
  display: 'flex',
  alignItems: 'center',
  gap: 2,
  p: 3,
  pl: 4,
  borderRadius: '8px',
  bgcolor: vars.surfaceSunken,
  border: `1px solid ${vars.border}`,
  overflowWrap: 'anywhere',
}
