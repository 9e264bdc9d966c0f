export default {
  entry: './notes.js',
  target: 'node',
  output: { filename: 'notes.cjs' },
  module: { rules: [{ test: /\.node$/, loader: 'node-loader' }] },
  // Strongroom requires the addon of each platform, and only this platform's addon is installed.
  ignoreWarnings: [/Can't resolve '(@strongroom\/|\.\.\/bindings_node\.)/],
}
