export default {
  entry: './notes.js',
  target: 'node',
  output: { filename: 'notes.cjs' },
  externals: { strongroom: 'commonjs strongroom' },
}
