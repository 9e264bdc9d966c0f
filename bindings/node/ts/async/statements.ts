/** Matches comments, quoted texts, and the semicolons between statements. */
const TOKENS = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'[^']*'|"[^"]*"|`[^`]*`|\[[^\]]*\]|;/g
const TRIGGER = /^\s*(?:explain\s+(?:query\s+plan\s+)?)?create\s+(?:temp\s+|temporary\s+)?trigger\b/i
/** Matches a trigger up to the end of its statements. Source: `sqlite3_complete`. */
const END_OF_TRIGGER = /;\s*end\s*$/i

/** The pragmas that set something of a single connection, and that do not change the database. */
const SETTING =
  /^pragma\s+(?:\w+\s*\.\s*)?(?:cache_size|mmap_size|temp_store|busy_timeout|case_sensitive_like|automatic_index|reverse_unordered_selects|trusted_schema|cell_size_check|full_column_names|short_column_names)\s*[=(]/i

const BOUNDS = /^(?:begin|commit|end|rollback)\b/i

/** Returns the statements of `sql` that set something of a connection. */
export function settingsIn(sql: string): readonly string[] {
  return /pragma/i.test(sql) ? statements(sql).filter((statement) => SETTING.test(statement)) : []
}

/** Returns whether a statement of `sql` begins or ends a transaction. ROLLBACK TO ends only savepoints. */
export function boundsTransaction(sql: string): boolean {
  if (!/begin|commit|end|rollback/i.test(sql)) return false
  return statements(sql).some((statement) => BOUNDS.test(statement) && !/^rollback\b.*\bto\b/is.test(statement))
}

/** Splits SQL into its statements, without comments. */
function statements(sql: string): string[] {
  const found: string[] = []
  let statement = ''
  let from = 0
  for (const { 0: token, index } of sql.matchAll(TOKENS)) {
    statement += sql.slice(from, index)
    from = index + token.length
    if (token !== ';') statement += /^(?:--|\/\*)/.test(token) ? ' ' : token
    else if (TRIGGER.test(statement) && !END_OF_TRIGGER.test(statement)) statement += token
    else {
      found.push(statement.trim())
      statement = ''
    }
  }
  found.push((statement + sql.slice(from)).trim())
  return found
}
