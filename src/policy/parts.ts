/** The parts of a policy that `exportModel` writes. Apart from it, so that asking for help loads no engine. */
export const EXPORT_PARTS = ['decoder', 'log-prob', 'encoder', 'policy'] as const;
export type ExportPart = (typeof EXPORT_PARTS)[number];
