import { Button } from '@mui/material'

/** A button that looks like a link in a line of text. */
export function TextButton({ children, onClick }: { children: React.ReactNode; onClick: () => void }) {
  return (
    <Button
      variant="text"
      size="small"
      onClick={onClick}
      sx={{ height: 24, px: 1.5, mx: -1.5, my: { xs: -2, sm: 0 }, flex: 'none' }}
    >
      {children}
    </Button>
  )
}
