#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#include "CPostgres.h"

#define LIBRARY "libpq.so.5"

/* All that are called: result, name, parameters, arguments. */
#define FUNCTIONS(each)                                                                                               \
    each(PGconn *, PQconnectdbParams, (const char *const *keys, const char *const *values, int expand),               \
         (keys, values, expand)) each(char *, PQhost, (const PGconn *connection), (connection))                       \
        each(PQnoticeProcessor, PQsetNoticeProcessor, (PGconn * connection, PQnoticeProcessor take, void *own),       \
             (connection, take, own)) each(PQconninfoOption *, PQconninfoParse, (const char *text, char **error),     \
                                           (text, error)) each(void, PQfreemem, (void *memory), (memory))             \
            each(void, PQconninfoFree, (PQconninfoOption * options), (options))                                       \
                each(void, PQfinish, (PGconn * connection), (connection))                                             \
                    each(ConnStatusType, PQstatus, (const PGconn *connection), (connection))                          \
                        each(char *, PQerrorMessage, (const PGconn *connection), (connection)) each(                  \
                            PGresult *, PQexecParams,                                                                 \
                            (PGconn * connection, const char *sql, int count, const Oid *types,                       \
                             const char *const *values, const int *lengths, const int *formats, int format),          \
                            (connection, sql, count, types, values, lengths, formats, format))                        \
                            each(void, PQclear, (PGresult * answer), (answer))                                        \
                                each(ExecStatusType, PQresultStatus, (const PGresult *answer), (answer)) each(        \
                                    char *, PQresultErrorField, (const PGresult *answer, int field), (answer, field)) \
                                    each(char *, PQresultErrorMessage, (const PGresult *answer), (answer)) each(      \
                                        int, PQntuples, (const PGresult *answer), (answer))                           \
                                        each(int, PQnfields, (const PGresult *answer), (answer)) each(                \
                                            int, PQgetisnull, (const PGresult *answer, int row, int column),          \
                                            (answer, row, column))                                                    \
                                            each(char *, PQgetvalue, (const PGresult *answer, int row, int column),   \
                                                 (answer, row, column))                                               \
                                                each(int, PQgetlength, (const PGresult *answer, int row, int column), \
                                                     (answer, row, column))                                           \
                                                    each(Oid, PQftype, (const PGresult *answer, int column),          \
                                                         (answer, column))

#define POINTER(result, name, parameters, arguments) static result(*own_##name) parameters;
FUNCTIONS(POINTER)

#define FORWARD(result, name, parameters, arguments) \
    result name parameters {                         \
        return own_##name arguments;                 \
    }
FUNCTIONS(FORWARD)

static char trouble[512] = "";

static void load(void) {
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(trouble, sizeof trouble, "%s", dlerror());
        return;
    }
#define FIND(result, name, parameters, arguments)                                   \
    own_##name = (result(*) parameters)dlsym(library, #name);                       \
    if (!own_##name) {                                                              \
        snprintf(trouble, sizeof trouble, "%s has no function %s", LIBRARY, #name); \
        return;                                                                     \
    }
    FUNCTIONS(FIND)
}

const char *postgres_load(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return trouble[0] ? trouble : NULL;
}
