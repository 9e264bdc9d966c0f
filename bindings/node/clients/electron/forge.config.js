module.exports = {
  packagerConfig: {
    asar: { unpack: '**/*.node' },
  },
}
