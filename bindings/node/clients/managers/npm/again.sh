rm -rf node_modules package-lock.json
npm install
npm ls better-sqlite3
