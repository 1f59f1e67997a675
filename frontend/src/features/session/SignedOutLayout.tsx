import { Box, Typography } from '@mui/material'
import { useEffect } from 'react'
import { Logo } from '@/shared/brand/Logo'
import { SignInIllustration } from '@/shared/brand/Illustrations'
import { t } from '@/shared/i18n'
import { vars } from '@/shared/tokens'

/** The layout of pages for people who are not signed in: a narrow column above an illustration. */
export function SignedOutLayout({
  title,
  text,
  children,
}: {
  title: string
  text?: string
  children: React.ReactNode
}) {
  useEffect(() => {
    document.title = `${title} · ${t('product')}`
  }, [title])
  return (
    <Box
      component="main"
      sx={{ minHeight: '100dvh', display: 'grid', gridTemplateRows: '1fr auto', overflow: 'hidden' }}
    >
      <Box sx={{ display: 'grid', placeItems: 'center', px: 5, py: 10 }}>
        <Box sx={{ width: '100%', maxWidth: 348 }}>
          <Logo size={44} />
          <Typography variant="display" component="h1" sx={{ mt: 5, mb: 1 }}>
            {title}
          </Typography>
          {text && <Typography sx={{ color: vars.textSecondary }}>{text}</Typography>}
          <Box sx={{ mt: 7 }}>{children}</Box>
        </Box>
      </Box>
      <SignInIllustration />
    </Box>
  )
}
