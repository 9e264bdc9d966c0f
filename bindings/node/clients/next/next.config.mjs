/** @type {import('next').NextConfig} */
export default {
  serverExternalPackages: ['strongroom'],
  output: process.env.NEXT_OUTPUT,
  distDir: process.env.NEXT_FOLDER,
}
