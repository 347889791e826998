
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_spool.h"


static void *ngx_http_clockodo_spool_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_clockodo_spool_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_clockodo_spool_merge_loc_conf(ngx_conf_t *cf,
    void *parent, void *child);
static char *ngx_http_clockodo_spool(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_clockodo_spool_check(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_str_t *path);
static ngx_http_clockodo_spool_t *ngx_http_clockodo_spool_add(ngx_conf_t *cf,
    ngx_str_t *path);
static ngx_int_t ngx_http_clockodo_spool_set_folder(ngx_conf_t *cf,
    ngx_str_t *folder, ngx_str_t *path, char *name);
static ngx_int_t ngx_http_clockodo_spool_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_clockodo_spool_create_folders(ngx_cycle_t *cycle,
    ngx_array_t *spools);
static ngx_int_t ngx_http_clockodo_spool_create_folder(ngx_cycle_t *cycle,
    ngx_str_t *folder);
static ngx_int_t ngx_http_clockodo_spool_init_process(ngx_cycle_t *cycle);
static void ngx_http_clockodo_spool_cleaned(void *data);


static ngx_command_t  ngx_http_clockodo_spool_commands[] = {

    { ngx_string("clockodo_spool"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_clockodo_spool,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_clockodo_spool_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_clockodo_spool_create_main_conf, /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_clockodo_spool_create_loc_conf, /* create location configuration */
    ngx_http_clockodo_spool_merge_loc_conf /* merge location configuration */
};


ngx_module_t  ngx_http_clockodo_spool_module = {
    NGX_MODULE_V1,
    &ngx_http_clockodo_spool_module_ctx,   /* module context */
    ngx_http_clockodo_spool_commands,      /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_clockodo_spool_init_module,   /* init module */
    ngx_http_clockodo_spool_init_process,  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_clockodo_spool_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_clockodo_spool_main_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_clockodo_spool_main_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&conf->spools, cf->pool, 1,
                       sizeof(ngx_http_clockodo_spool_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return conf;
}


static void *
ngx_http_clockodo_spool_create_loc_conf(ngx_conf_t *cf)
{
    /*
     * set by ngx_pcalloc():
     *
     *     conf->spool = NULL;
     *     conf->place.name = NULL;
     */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_clockodo_spool_loc_conf_t));
}


static char *
ngx_http_clockodo_spool_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_http_clockodo_spool_loc_conf_t *prev = parent;
    ngx_http_clockodo_spool_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    if (conf->spool) {
        return ngx_http_clockodo_check_store(cf, &conf->place);
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->noname) {

        /* an "if" keeps the handler of its location, "limit_except" has none */

        conf->spool = prev->spool;

        if (clcf->lmt_excpt && clcf->handler == NULL && conf->spool) {
            clcf->handler = ngx_http_clockodo_spool_handler;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_clockodo_spool(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_clockodo_spool_loc_conf_t *slcf = conf;

    char                           *rv;
    ngx_str_t                      *value, path;
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_clockodo_main_conf_t  *mcf;

    if (slcf->spool) {
        return "is duplicate";
    }

    value = cf->args->elts;
    path = value[1];

    if (path.len == 0) {
        return "has an empty path";
    }

    if (ngx_http_script_variables_count(&path)) {
        return "must not have variables";
    }

    if (ngx_conf_full_name(cf->cycle, &path, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    while (path.len && path.data[path.len - 1] == '/') {
        path.data[--path.len] = '\0';
    }

    if (path.len == 0) {
        return "must be a folder of its own";
    }

    /* who only sends a signal needs none */

    if (ngx_process != NGX_PROCESS_SIGNALLER) {
        rv = ngx_http_clockodo_spool_check(cf, cmd, &path);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    slcf->spool = ngx_http_clockodo_spool_add(cf, &path);
    if (slcf->spool == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_http_clockodo_set_place(cf, cmd, &slcf->place);

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_clockodo_spool_handler;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_clockodo_module);

    return ngx_http_clockodo_init_tasks(cf, mcf) == NGX_OK ? NGX_CONF_OK
                                                          : NGX_CONF_ERROR;
}


/* nginx would make the folder, and say less about why it cannot */

static char *
ngx_http_clockodo_spool_check(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *path)
{
    u_char           c, *slash;
    ngx_int_t        rc;
    ngx_file_info_t  fi;

    if (ngx_file_info(path->data, &fi) != NGX_FILE_ERROR) {

        if (ngx_is_dir(&fi)) {
            return NGX_CONF_OK;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in \"%V\" directive is not a folder",
                           path, &cmd->name);
        return NGX_CONF_ERROR;
    }

    /* up to the last slash, which the root is */

    slash = (u_char *) strrchr((char *) path->data, '/');

    c = slash[1];
    slash[1] = '\0';
    rc = ngx_file_info(path->data, &fi);
    slash[1] = c;

    if (rc == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "the folder above \"%V\" in \"%V\" directive must "
                           "exist", path, &cmd->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* locations that share a folder share what is known of it */

static ngx_http_clockodo_spool_t *
ngx_http_clockodo_spool_add(ngx_conf_t *cf, ngx_str_t *path)
{
    ngx_uint_t                            i;
    ngx_path_t                           *dir;
    ngx_http_clockodo_spool_t            *spool, **spoolp;
    ngx_http_clockodo_spool_main_conf_t  *smcf;

    smcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_clockodo_spool_module);
    spoolp = smcf->spools.elts;

    for (i = 0; i < smcf->spools.nelts; i++) {
        if (spoolp[i]->path.len == path->len
            && ngx_strcmp(spoolp[i]->path.data, path->data) == 0)
        {
            return spoolp[i];
        }
    }

    spool = ngx_pcalloc(cf->pool, sizeof(ngx_http_clockodo_spool_t));
    if (spool == NULL) {
        return NULL;
    }

    dir = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));
    if (dir == NULL) {
        return NULL;
    }

    dir->name = *path;
    dir->conf_file = cf->conf_file->file.name.data;
    dir->line = cf->conf_file->line;

    if (ngx_add_path(cf, &dir) != NGX_OK) {
        return NULL;
    }

    spool->path = *path;
    spool->clean.run = ngx_http_clockodo_spool_clean;
    spool->clean.done = ngx_http_clockodo_spool_cleaned;
    spool->clean.data = spool;

    if (ngx_http_clockodo_spool_set_folder(cf, &spool->tmp, path, "tmp")
        != NGX_OK
        || ngx_http_clockodo_spool_set_folder(cf, &spool->new, path, "new")
           != NGX_OK)
    {
        return NULL;
    }

    spoolp = ngx_array_push(&smcf->spools);
    if (spoolp == NULL) {
        return NULL;
    }

    *spoolp = spool;

    return spool;
}


static ngx_int_t
ngx_http_clockodo_spool_set_folder(ngx_conf_t *cf, ngx_str_t *folder,
    ngx_str_t *path, char *name)
{
    size_t  len;

    len = path->len + 1 + ngx_strlen(name);

    folder->data = ngx_pnalloc(cf->pool, len + 1);
    if (folder->data == NULL) {
        return NGX_ERROR;
    }

    folder->len = len;
    (void) ngx_sprintf(folder->data, "%V/%s%Z", path, name);

    return NGX_OK;
}


/*
 * nginx has made the spool and given it to the workers' user, as it does with
 * its temporary folders.  What is in there that user can move: a root that
 * made folders in it and gave them away would follow a symbolic link.  So it
 * is done as that user.
 */

static ngx_int_t
ngx_http_clockodo_spool_init_module(ngx_cycle_t *cycle)
{
    ngx_int_t                             rc;
    ngx_uid_t                             uid;
    ngx_gid_t                             gid;
    ngx_core_conf_t                      *ccf;
    ngx_http_clockodo_spool_main_conf_t  *smcf;

    smcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_clockodo_spool_module);

    if (smcf == NULL || smcf->spools.nelts == 0) {
        return NGX_OK;
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    rc = NGX_ERROR;

    uid = geteuid();
    gid = getegid();

    if (uid == 0 && (setegid(ccf->group) == -1 || seteuid(ccf->user) == -1)) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "seteuid(%d) for \"clockodo_spool\" failed", ccf->user);

    } else {
        rc = ngx_http_clockodo_spool_create_folders(cycle, &smcf->spools);
    }

    if (uid == 0 && (seteuid(uid) == -1 || setegid(gid) == -1)) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "seteuid(%d) failed", uid);
        exit(2);
    }

    /* a master that is at work would end if this failed: events do instead */

    return ngx_is_init_cycle(cycle->old_cycle) ? rc : NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_spool_create_folders(ngx_cycle_t *cycle, ngx_array_t *spools)
{
    ngx_uint_t                   i;
    ngx_http_clockodo_spool_t  **spoolp;

    spoolp = spools->elts;

    for (i = 0; i < spools->nelts; i++) {

        if (ngx_http_clockodo_spool_create_folder(cycle, &spoolp[i]->tmp)
            != NGX_OK
            || ngx_http_clockodo_spool_create_folder(cycle, &spoolp[i]->new)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_spool_create_folder(ngx_cycle_t *cycle, ngx_str_t *folder)
{
    if (ngx_create_dir(folder->data, 0700) == NGX_FILE_ERROR
        && ngx_errno != NGX_EEXIST)
    {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      ngx_create_dir_n " \"%V\" for \"clockodo_spool\" failed",
                      folder);
        return NGX_ERROR;
    }

    /* one that is there already */

    if (faccessat(AT_FDCWD, (char *) folder->data, R_OK|W_OK|X_OK, AT_EACCESS)
        == -1)
    {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "\"%V\" for \"clockodo_spool\" must be a folder that "
                      "belongs to the workers' user", folder);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_spool_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                            i;
    ngx_http_clockodo_spool_t           **spoolp;
    ngx_http_clockodo_main_conf_t        *mcf;
    ngx_http_clockodo_spool_main_conf_t  *smcf;

    if (ngx_process == NGX_PROCESS_HELPER || ngx_worker != 0) {
        return NGX_OK;
    }

    smcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_clockodo_spool_module);

    if (smcf == NULL) {
        return NGX_OK;
    }

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_clockodo_module);

    spoolp = smcf->spools.elts;

    for (i = 0; i < smcf->spools.nelts; i++) {

        /* if it cannot be done now there will be another start */

        (void) ngx_http_clockodo_post_task(mcf, &spoolp[i]->clean);
    }

    return NGX_OK;
}


static void
ngx_http_clockodo_spool_cleaned(void *data)
{
}
