/* SPDX-License-Identifier: Apache-2.0 */
/* status.h - how every call that can fail says so */
#ifndef PARE_STATUS_H
#define PARE_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PARE_API __attribute__((visibility("default")))
#else
#define PARE_API
#endif

typedef enum pare_status {
    PARE_OK = 0,
    PARE_ERR_ARG = 1,         /* the caller's argument cannot be right: unknown name, bad option    */
    PARE_ERR_MEMORY = 2,      /* out of memory                                                      */
    PARE_ERR_IO = 3,          /* a file cannot be opened, read or written                           */
    PARE_ERR_DATA = 4,        /* a file's content is damaged or contradicts itself                  */
    PARE_ERR_UNSUPPORTED = 5, /* well-formed, but this library does not do it                       */
    PARE_ERR_SHAPE = 6,       /* shapes or dtypes do not fit together                               */
    PARE_ERR_DYNAMIC = 7,     /* a shape depends on values that are known only at run time          */
    PARE_ERR_NUMERIC = 8,     /* NaN, infinity or overflow where a finite number is needed          */
    PARE_ERR_CANCELLED = 9,   /* the user asked to stop (Ctrl-C)                                    */
} pare_status;

/*
 * The sentence that belongs to the last failure on this thread: file, node, tensor and remedy.
 * Never NULL; "" before the first failure. Valid until the next failing call on this thread.
 */
PARE_API const char *pare_error(void);

/* The status as a word, for logs: "data", "shape" ... Static storage. */
PARE_API const char *pare_status_name(pare_status status);

/* "0.1.0": the version of the library that is running. */
PARE_API const char *pare_version(void);

#ifdef __cplusplus
}
#endif
#endif
