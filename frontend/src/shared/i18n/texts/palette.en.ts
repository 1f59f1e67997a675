export const palette = {
  'palette.title': 'Search or jump to',
  'palette.open': 'Search or jump to…',
  'palette.placeholder': 'A store, or what to do…',
  'palette.results': 'Results',
  'palette.noMatch': 'Nothing here is called “{wanted}”.',
  'palette.do': 'Do',
  'palette.goTo': 'Go to',
  'palette.mode': 'Switch light and dark',
  'palette.choose': 'choose',
  'palette.go': 'go',
} as const
