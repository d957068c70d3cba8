/* libpq, which is loaded when it is asked for: only gateways whose jobs are in PostgreSQL need it, and what it is
 * linked with (OpenSSL, Kerberos, LDAP). The functions are libpq's own, under its names and with its declarations.
 */
#ifndef CPOSTGRES_H
#define CPOSTGRES_H

#include <postgresql/libpq-fe.h>

/* Before any other call; from any thread.
 * Returns NULL if the library is there, else why it is not, in words that stay.
 */
const char *postgres_load(void);

#endif
