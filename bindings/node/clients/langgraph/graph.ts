import { Annotation, END, interrupt, START, StateGraph } from '@langchain/langgraph'
import type { SqliteSaver } from '@langchain/langgraph-checkpoint-sqlite'

const State = Annotation.Root({
  notes: Annotation<string[]>({ reducer: (notes, added) => [...notes, ...added], default: () => [] }),
  draft: Annotation<string>,
})

/** Returns a graph that adds a draft to the notes after a person has approved it. */
export function createGraph(checkpointer: SqliteSaver) {
  return new StateGraph(State)
    .addNode('review', ({ draft }) => (interrupt({ draft }) ? { notes: [draft] } : {}))
    .addEdge(START, 'review')
    .addEdge('review', END)
    .compile({ checkpointer })
}
