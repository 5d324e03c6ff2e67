// SPDX-License-Identifier: Apache-2.0
// What the Swift importer cannot see of SQLite: functions with a variable number of arguments, and destructors that are
// numbers.
#pragma once
#include <sqlite3.h>

/// Whether closing the last connection writes the log into the database. Off, it leaves both files as they are.
static inline int sqlite_set_checkpoint_on_close(sqlite3 *database, int on) {
  return sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !on, (int *)0);
}

/// A schema that a file brings along runs no functions, and nobody writes to SQLite's own tables.
static inline int sqlite_distrust_schema(sqlite3 *database) {
  int result = sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)0);
  if (result != SQLITE_OK) return result;
  return sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
}

// SQLite copies what is bound. A null pointer would be SQL's NULL and not an empty value.
static inline int sqlite_bind_text(sqlite3_stmt *statement, int index, const char *bytes, sqlite3_uint64 count) {
  return sqlite3_bind_text64(statement, index, bytes ? bytes : "", count, SQLITE_TRANSIENT, SQLITE_UTF8);
}
static inline int sqlite_bind_bytes(sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count) {
  return sqlite3_bind_blob64(statement, index, bytes ? bytes : "", count, SQLITE_TRANSIENT);
}
