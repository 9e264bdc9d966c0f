sqlcipher notes.db <<END
PRAGMA key = '$NOTES_PASSPHRASE';
CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
INSERT INTO note (text) VALUES ('buy milk');
SELECT count(*) FROM note;
END
