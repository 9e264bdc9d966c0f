/* An extension for the tests. The indexes into SQLite's table of functions are part of SQLite's stable interface. */
#include <string.h>
typedef struct sqlite3 sqlite3;
typedef struct context context;
typedef struct statement statement;
#define EXEC 55
#define CREATE_FUNCTION 45
#define MPRINTF 69
#define RESULT_INT 82
#define PREPARE 116
#define DB_CONFIG 163
#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT
#endif
static void **functions;

static void count(context *context, int arguments, void **values) {
  ((void (*)(struct context *, int))functions[RESULT_INT])(context, arguments);
}

static int exec(sqlite3 *db, const char *sql, char **message) {
  return ((int (*)(sqlite3 *, const char *, void *, void *, char **))functions[EXEC])(db, sql, 0, 0, message);
}

/* Registers the function count_arguments. */
EXPORT int sqlite3_extension_init(sqlite3 *db, char **message, void **api) {
  functions = api;
  return ((int (*)(sqlite3 *, const char *, int, int, void *, void *, void *, void *))functions[CREATE_FUNCTION])(
      db, "count_arguments", -1, 1, 0, (void *)count, 0, 0);
}

/* Fails with a message. */
EXPORT int refuse(sqlite3 *db, char **message, void **api) {
  *message = ((char *(*)(const char *, ...))api[MPRINTF])("%s", "not today");
  return 1;
}

/* Fails without a message. */
EXPORT int refuse_silently(sqlite3 *db, char **message, void **api) { return 1; }

/* Tries to load an extension with SQL, and stores the outcome in a table. */
EXPORT int load_in_sql(sqlite3 *db, char **message, void **api) {
  char *error = 0;
  functions = api;
  exec(db, "CREATE TABLE outcome (refused)", message);
  ((int (*)(sqlite3 *, int, ...))functions[DB_CONFIG])(db, 1005, 1, (int *)0);
  exec(db, "SELECT load_extension('nowhere')", &error);
  if (error && strcmp(error, "not authorized") == 0) exec(db, "INSERT INTO outcome VALUES (1)", message);
  return 0;
}

/* Leaves a statement unfinalized, which keeps SQLite from closing the connection. */
EXPORT int leave_statement(sqlite3 *db, char **message, void **api) {
  statement *left;
  return ((int (*)(sqlite3 *, const char *, int, statement **, const char **))api[PREPARE])(
      db, "SELECT 1", -1, &left, 0);
}
