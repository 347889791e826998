
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_spool.h"

#include <openssl/rand.h>


/* rubbish: what is younger may be on its way */
#define NGX_HTTP_CLOCKODO_SPOOL_AGE  (24 * 60 * 60)

#define NGX_HTTP_CLOCKODO_SPOOL_RANDOM  8


static ngx_int_t ngx_http_clockodo_spool_find(
    ngx_http_clockodo_spool_file_t *file, int dir);
static ngx_int_t ngx_http_clockodo_spool_write(
    ngx_http_clockodo_spool_file_t *file);
static ngx_int_t ngx_http_clockodo_spool_write_body(
    ngx_http_clockodo_spool_file_t *file, ngx_fd_t fd);
static ngx_int_t ngx_http_clockodo_spool_link(
    ngx_http_clockodo_spool_file_t *file, int dir);
static ngx_int_t ngx_http_clockodo_spool_set_random(
    ngx_http_clockodo_spool_file_t *file);
static ngx_int_t ngx_http_clockodo_spool_failed(
    ngx_http_clockodo_spool_file_t *file, char *call, char *path);
static ngx_uint_t ngx_http_clockodo_spool_is_rubbish(int dir, char *name,
    time_t now);


/*
 * All that follows happens in one folder, even if another takes its place.
 * One that flushes it does so for all names in it: who has written the one
 * that is there already may have died before.
 */

void
ngx_http_clockodo_spool_store(void *data)
{
    ngx_http_clockodo_spool_file_t *file = data;

    int        dir;
    ngx_int_t  rc;

    file->result = NGX_HTTP_CLOCKODO_SPOOL_FAILED;

    dir = open(file->new, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (dir == -1) {
        (void) ngx_http_clockodo_spool_failed(file, "open()", file->new);
        return;
    }

    rc = ngx_http_clockodo_spool_find(file, dir);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_clockodo_spool_write(file);

        if (rc == NGX_OK) {
            rc = ngx_http_clockodo_spool_link(file, dir);
            (void) unlink(file->tmp);
        }
    }

    if (rc != NGX_ERROR) {

        if (fsync(dir) == 0) {
            file->result = (rc == NGX_OK) ? NGX_HTTP_CLOCKODO_SPOOL_STORED
                                          : NGX_HTTP_CLOCKODO_SPOOL_DUPLICATE;

        } else {
            (void) ngx_http_clockodo_spool_failed(file, "fsync()", file->new);
        }
    }

    (void) close(dir);
}


/* NGX_DECLINED if it is not there, NGX_DONE if it is, NGX_ERROR if unknown */

static ngx_int_t
ngx_http_clockodo_spool_find(ngx_http_clockodo_spool_file_t *file, int dir)
{
    ngx_file_info_t  fi;

    if (file->random) {
        return NGX_DECLINED;
    }

    if (fstatat(dir, file->name, &fi, AT_SYMLINK_NOFOLLOW) == -1) {
        return ngx_errno == NGX_ENOENT
               ? NGX_DECLINED
               : ngx_http_clockodo_spool_failed(file, "fstatat()", file->new);
    }

    if (!ngx_is_file(&fi)) {

        /* whatever it is, the event is not in it */

        ngx_set_errno(NGX_EEXIST);
        return ngx_http_clockodo_spool_failed(file, "linkat()", file->new);
    }

    return NGX_DONE;
}


/* a whole file that is on disk, or none */

static ngx_int_t
ngx_http_clockodo_spool_write(ngx_http_clockodo_spool_file_t *file)
{
    ngx_fd_t   fd;
    ngx_int_t  rc;

    fd = open(file->tmp, O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC,
              NGX_FILE_OWNER_ACCESS);

    if (fd == NGX_INVALID_FILE) {
        return ngx_http_clockodo_spool_failed(file, "open()", file->tmp);
    }

    rc = ngx_http_clockodo_spool_write_body(file, fd);

    /* a file system can find out now that there is no room */

    if (ngx_close_file(fd) == NGX_FILE_ERROR && rc == NGX_OK) {
        rc = ngx_http_clockodo_spool_failed(file, "close()", file->tmp);
    }

    if (rc != NGX_OK) {
        (void) unlink(file->tmp);
    }

    return rc;
}


static ngx_int_t
ngx_http_clockodo_spool_write_body(ngx_http_clockodo_spool_file_t *file,
    ngx_fd_t fd)
{
    size_t   written;
    ssize_t  n;

    for (written = 0; written < file->len; written += n) {

        n = ngx_write_fd(fd, file->body + written, file->len - written);

        if (n == -1) {
            return ngx_http_clockodo_spool_failed(file, "write()", file->tmp);
        }
    }

    if (fdatasync(fd) == -1) {
        return ngx_http_clockodo_spool_failed(file, "fdatasync()", file->tmp);
    }

    return NGX_OK;
}


/* NGX_OK, NGX_DONE if another of this name is there, or NGX_ERROR */

static ngx_int_t
ngx_http_clockodo_spool_link(ngx_http_clockodo_spool_file_t *file, int dir)
{
    ngx_int_t  rc;

    for ( ;; ) {

        if (file->random && ngx_http_clockodo_spool_set_random(file) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (linkat(AT_FDCWD, file->tmp, dir, file->name, 0) == 0) {
            return NGX_OK;
        }

        if (ngx_errno != NGX_EEXIST) {
            return ngx_http_clockodo_spool_failed(file, "linkat()", file->new);
        }

        if (file->random == 0) {

            /* it came to be there while this one was written */

            rc = ngx_http_clockodo_spool_find(file, dir);

            if (rc != NGX_DECLINED) {
                return rc;
            }

            /* and was taken since */
        }
    }
}


static ngx_int_t
ngx_http_clockodo_spool_set_random(ngx_http_clockodo_spool_file_t *file)
{
    u_char  bytes[NGX_HTTP_CLOCKODO_SPOOL_RANDOM];

    if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
        ngx_set_errno(0);
        return ngx_http_clockodo_spool_failed(file, "RAND_bytes()", file->new);
    }

    (void) ngx_hex_dump((u_char *) file->name + file->random, bytes,
                        sizeof(bytes));

    return NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_spool_failed(ngx_http_clockodo_spool_file_t *file,
    char *call, char *path)
{
    file->err = ngx_errno;
    file->failed = call;
    file->path = path;

    return NGX_ERROR;
}


void
ngx_http_clockodo_spool_clean(void *data)
{
    ngx_http_clockodo_spool_t *spool = data;

    DIR            *dir;
    time_t          now;
    struct dirent  *entry;

    dir = opendir((char *) spool->tmp.data);

    if (dir == NULL) {

        /* events say so, if there are any */

        return;
    }

    now = time(NULL);

    while ((entry = readdir(dir)) != NULL) {

        if (ngx_http_clockodo_spool_is_rubbish(dirfd(dir), entry->d_name,
                                               now))
        {
            (void) unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }

    (void) closedir(dir);
}


/* only what has a name of ours: the folder may be an unlucky choice */

static ngx_uint_t
ngx_http_clockodo_spool_is_rubbish(int dir, char *name, time_t now)
{
    size_t           len;
    ngx_file_info_t  fi;

    len = strspn(name, "0123456789.");

    return len != 0
           && ngx_strcmp(name + len, "tmp") == 0
           && fstatat(dir, name, &fi, AT_SYMLINK_NOFOLLOW) == 0
           && ngx_is_file(&fi)
           && now - ngx_file_mtime(&fi) > NGX_HTTP_CLOCKODO_SPOOL_AGE;
}
