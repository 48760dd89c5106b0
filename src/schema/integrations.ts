// What an account may connect to, as far as members are declared for it.

/** The integrations that `members/list` supports. The slug of Microsoft 365 is not documented. */
export const integrations = ['slack', 'msteams', 'microsoft365'] as const
/** One of `integrations`. */
export type Integration = (typeof integrations)[number]
