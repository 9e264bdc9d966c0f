import { SqliteSaver } from '@langchain/langgraph-checkpoint-sqlite'

export const open = () => SqliteSaver.fromConnString('plain.db')
