/** The pragmas that set something of a single connection, and that do not change the database. */
const OF_A_CONNECTION =
  /^\s*pragma\s+(?:\w+\s*\.\s*)?(?:cache_size|mmap_size|temp_store|busy_timeout|case_sensitive_like|automatic_index|reverse_unordered_selects|trusted_schema|cell_size_check)\s*[=(]/i

/** Matches comments, quoted texts, and the semicolons between statements. */
const TOKENS = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'[^']*'|"[^"]*"|`[^`]*`|\[[^\]]*\]|;/g

/** Returns the statements of `sql` that set something of a connection. */
export function settingsIn(sql: string): string[] {
  if (!/pragma/i.test(sql)) return []
  return statements(sql).filter((statement) => OF_A_CONNECTION.test(statement))
}

/** Splits SQL into its statements, without comments. */
function statements(sql: string): string[] {
  const found: string[] = []
  let statement = ''
  let from = 0
  for (const { 0: token, index } of sql.matchAll(TOKENS)) {
    statement += sql.slice(from, index)
    from = index + token.length
    if (token === ';') {
      found.push(statement.trim())
      statement = ''
    } else statement += /^(?:--|\/\*)/.test(token) ? ' ' : token
  }
  found.push((statement + sql.slice(from)).trim())
  return found
}
