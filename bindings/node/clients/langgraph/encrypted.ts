import { SqliteSaver } from '@langchain/langgraph-checkpoint-sqlite'
import Database from 'better-sqlite3'

export const open = () => new SqliteSaver(new Database('encrypted.db', { passphrase: process.env.NOTES_PASSPHRASE }))
