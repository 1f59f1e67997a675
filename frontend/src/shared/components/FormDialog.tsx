import { Box, Dialog, Typography } from '@mui/material'
import { useId } from 'react'
import { vars } from '@/shared/tokens'
import { ErrorBanner } from './ErrorBanner'

interface FormDialogProps {
  open: boolean
  title: string
  text?: React.ReactNode
  error?: string | undefined
  onClose: () => void
  onSubmit: () => void
  children?: React.ReactNode
  /** Buttons; the last one sends. */
  actions: React.ReactNode
  /** At the start of the line with the buttons. */
  aside?: React.ReactNode
  width?: number
}

/** A small dialog that asks: a title, a sentence, fields, buttons. Ctrl-Enter (⌘-Enter) sends it. */
export function FormDialog(props: FormDialogProps) {
  const { open, title, text, error, onClose, onSubmit, children, actions, aside, width = 480 } = props
  const id = useId()
  return (
    <Dialog
      open={open}
      onClose={onClose}
      aria-labelledby={`${id}-title`}
      aria-describedby={text ? `${id}-text` : undefined}
      slotProps={{ paper: { sx: { width } } }}
    >
      <Box
        component="form"
        noValidate
        onSubmit={(event: React.FormEvent) => {
          event.preventDefault()
          onSubmit()
        }}
        onKeyDown={(event: React.KeyboardEvent<HTMLFormElement>) => {
          if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) event.currentTarget.requestSubmit()
        }}
        sx={{ display: 'flex', flexDirection: 'column', minHeight: 0 }}
      >
        <Box sx={{ p: { xs: 5, sm: 6 }, display: 'grid', gap: 5, overflowY: 'auto' }}>
          <Box>
            <Typography variant="h1" component="h2" id={`${id}-title`}>
              {title}
            </Typography>
            {text && (
              <Box id={`${id}-text`} sx={{ color: vars.textSecondary, textWrap: 'pretty', mt: 2 }}>
                {text}
              </Box>
            )}
          </Box>
          {error && <ErrorBanner>{error}</ErrorBanner>}
          {children}
        </Box>
        <Box
          sx={{
            display: 'flex',
            justifyContent: 'flex-end',
            flexWrap: 'wrap',
            alignItems: 'center',
            gap: 2,
            px: { xs: 5, sm: 6 },
            py: 3.5,
            borderTop: `1px solid ${vars.border}`,
          }}
        >
          {aside && <Box sx={{ mr: 'auto', width: { xs: '100%', sm: 'auto' } }}>{aside}</Box>}
          {actions}
        </Box>
      </Box>
    </Dialog>
  )
}
