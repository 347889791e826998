
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _NGX_HTTP_CLOCKODO_H_INCLUDED_
#define _NGX_HTTP_CLOCKODO_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "clockodo_dedupe.h"
#include "clockodo_event.h"
#include "clockodo_judge.h"
#include "clockodo_sign.h"

#include "ngx_http_clockodo_zone.h"


#define NGX_HTTP_CLOCKODO_OFF           0
#define NGX_HTTP_CLOCKODO_ON            1
#define NGX_HTTP_CLOCKODO_AUTHENTICATE  2
#define NGX_HTTP_CLOCKODO_REPORT        3

#define NGX_HTTP_CLOCKODO_DEDUPE_OFF   0
#define NGX_HTTP_CLOCKODO_DEDUPE_MARK  1
#define NGX_HTTP_CLOCKODO_DEDUPE_DROP  2


typedef struct ngx_http_clockodo_format_s  ngx_http_clockodo_format_t;
typedef struct ngx_http_clockodo_secret_file_s
    ngx_http_clockodo_secret_file_t;


/* where something was set */

typedef struct {
    ngx_str_t                  *name;      /* of the directive, or NULL */
    ngx_conf_file_t             conf_file; /* its name and line */
} ngx_http_clockodo_place_t;


/* a file that was read for secrets of the configuration */

typedef struct {
    ngx_str_t                   name;
    char                       *what;      /* there are: "token", "key" */
} ngx_http_clockodo_read_t;


typedef struct {
    uint32_t                    key;       /* of clockodo_json_scan() */
    ngx_http_clockodo_zone_t    zone;

    /* of nginx's variables, which may have been cached */
    ngx_int_t                   content_length;
    ngx_int_t                   http_content_length;
    ngx_int_t                   content_type;
    ngx_int_t                   http_content_type;
    ngx_array_t                 http_headers;  /* of ngx_int_t: of ours */

#if (NGX_THREADS)
    ngx_thread_pool_t          *thread_pool;   /* NULL: all is done in place */
#endif

    ngx_array_t                 secret_files;  /* of pointers to them */
    ngx_array_t                 read;  /* of ngx_http_clockodo_read_t */

    /* of ngx_http_clockodo_checked_t, those with the module on */
    ngx_array_t                 checked;

    unsigned                    status:1;  /* is shown in some location */
    unsigned                    recursive:1;   /* error pages, in some */
} ngx_http_clockodo_main_conf_t;


typedef struct {
    ngx_uint_t                     webhook;
    ngx_http_clockodo_place_t      place;      /* of this, inherited */
    ngx_http_clockodo_place_t      setting;    /* first one of this level */
    ngx_http_clockodo_place_t      token_place;    /* first of this level */

    ngx_array_t                   *tokens;     /* of clockodo_token_t */
    ngx_http_clockodo_secret_file_t   *secret_file;    /* NULL: off */
    ngx_uint_t                     secret_forward; /* belongs to it */
    ngx_array_t                   *patterns;   /* of clockodo_pattern_t */
    ngx_array_t                   *companies;  /* of uint64_t */
    ngx_uint_t                     unknown_events; /* clockodo_unknown_e */
    time_t                         max_age;
    size_t                         max_body_size;
    ngx_flag_t                     mask_token;
    ngx_array_t                   *sign_keys;  /* of clockodo_sign_key_t * */
    ngx_uint_t                     log_level;

    ngx_uint_t                     dedupe;
    ngx_msec_t                     dedupe_ttl;
    ngx_msec_t                     dedupe_lease;

    clockodo_policy_t              policy;     /* all that judges, merged */
    ngx_http_clockodo_location_t  *location;   /* NULL: off */

    ngx_http_clockodo_format_t    *status;     /* NULL: is not shown here */
} ngx_http_clockodo_loc_conf_t;


/* a location with the module on, for checks of the configuration as a whole */

typedef struct {
    ngx_http_core_srv_conf_t       *server;
    ngx_str_t                       name;  /* empty: the server itself */
    ngx_http_clockodo_loc_conf_t   *conf;
    unsigned                        named:1;   /* "@name" */
} ngx_http_clockodo_checked_t;


typedef enum {
    NGX_HTTP_CLOCKODO_UNCHECKED = 0,
    NGX_HTTP_CLOCKODO_READING,
    NGX_HTTP_CLOCKODO_READ,
    NGX_HTTP_CLOCKODO_PARSED,
    NGX_HTTP_CLOCKODO_REFUSED              /* before there was a whole body */
} ngx_http_clockodo_state_e;


/* a location that has forwarded the request, and whom it may have asked */

typedef struct ngx_http_clockodo_asked_s  ngx_http_clockodo_asked_t;

struct ngx_http_clockodo_asked_s {
    ngx_http_clockodo_location_t  *location;   /* NULL: none has */
    ngx_uint_t                     nstates;    /* of upstreams, before it */
    ngx_uint_t                     accepted;   /* an event */
    ngx_http_clockodo_asked_t     *next;       /* that has asked before it */
};


/* of Standard Webhooks */

typedef struct {
    ngx_str_t                   id;
    ngx_str_t                   timestamp;
    ngx_str_t                   text;      /* "v1,BASE64[ v1,BASE64...]" */
} ngx_http_clockodo_signature_t;


/* outlives internal redirects: the data of a clean-up handler */

typedef struct {
    ngx_http_clockodo_state_e   state;
    clockodo_fault_e            early_fault;   /* found before judging */
    clockodo_json_error_t       json_error;

    clockodo_verdict_e          verdict;
    clockodo_fault_e            fault;
    clockodo_fault_e            reported;  /* logged in report mode */
    clockodo_fault_e            unrecorded;    /* why a secret is not */
    ngx_int_t                   status;    /* of a final rejection, or 0 */
    size_t                      token;     /* number of the right one, or 0 */

    ngx_http_clockodo_location_t  *location;   /* that judged it, or NULL */
    ngx_http_clockodo_asked_t   asked;     /* the last one */

    ngx_http_clockodo_signature_t  *signature;     /* the last one, or NULL */

    clockodo_claim_t            claim;     /* until it is settled */
    ngx_http_clockodo_loc_conf_t   *claimed;   /* by this one, or NULL */
    ngx_http_clockodo_zone_t   *zone;      /* where it is */

    ngx_str_t                   body;
    ngx_str_t                   masked_body;
    ngx_buf_t                  *held;      /* a body of unknown length */
    off_t                       received;
    unsigned                    passed:1;  /* our handler, being off */
    unsigned                    bounded:1; /* cut off at the size */
    unsigned                    masked:1;  /* what goes upstream */
    unsigned                    recording:1;   /* the handshake's secret */
    unsigned                    recorded:1;
    unsigned                    authenticated:1;   /* though rejected */
    unsigned                    stored:1;  /* the event, in the spool */
    unsigned                    duplicate:1;   /* is marked as one */
    unsigned                    has_signature:1;   /* of the last judging */

    clockodo_event_t            event;     /* last; valid if it was parsed */
} ngx_http_clockodo_ctx_t;


/* whether it is an authentic event, be it forwarded or not */
#define ngx_http_clockodo_is_event(ctx)                                       \
    ((ctx)->verdict == CLOCKODO_VERDICT_ACCEPTED                              \
     || (ctx)->verdict == CLOCKODO_VERDICT_FILTERED                           \
     || (ctx)->verdict == CLOCKODO_VERDICT_DUPLICATE)

/* whether it goes upstream, or may, with a token that is right */
#define ngx_http_clockodo_is_authentic(ctx)                                   \
    (ngx_http_clockodo_is_event(ctx)                                          \
     || ((ctx)->verdict == CLOCKODO_VERDICT_REJECTED                          \
         && (ctx)->status == 0 && (ctx)->token))


#pragma GCC visibility push(hidden)


/* conf: setters whose messages name the directive */

typedef struct {
    ngx_conf_enum_t  *values;
    char             *expected;            /* for the message */
} ngx_http_clockodo_enum_t;

/*
 * In an ngx_http_clockodo_loc_conf_t; cmd->post is an
 * ngx_http_clockodo_enum_t
 */
char *ngx_http_clockodo_set_enum_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* not 0 */
char *ngx_http_clockodo_set_size_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* not 0; "off" sets 0 */
char *ngx_http_clockodo_set_sec_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

char *ngx_http_clockodo_set_flag_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* of one argument: sets *value, or logs what it must be */
char *ngx_http_clockodo_parse_enum(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *name, ngx_http_clockodo_enum_t *post, ngx_uint_t *value);


/* lint: what is valid and yet a mistake, almost surely */

/* to be called by each directive that makes a difference to checks */
void ngx_http_clockodo_set_place(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_clockodo_place_t *place);

/* has ngx_conf_log_error() say that place, as if it were read just now */
ngx_conf_t ngx_http_clockodo_at(ngx_conf_t *cf,
    ngx_http_clockodo_place_t *place);

/* of a location whose settings are merged */
void ngx_http_clockodo_lint_off(ngx_conf_t *cf,
    ngx_http_clockodo_loc_conf_t *conf);

/* likewise, and notes it for ngx_http_clockodo_lint(); NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_clockodo_lint_on(ngx_conf_t *cf,
    ngx_http_clockodo_loc_conf_t *conf);

/* to be called when all locations are known */
void ngx_http_clockodo_lint(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf);


/* ctx */

/* returns NULL if there is no memory */
ngx_http_clockodo_ctx_t *ngx_http_clockodo_create_ctx(ngx_http_request_t *r);

/*
 * Finds the context again after an internal redirect.  Returns NULL if there
 * is none: nothing has been judged.
 */
ngx_http_clockodo_ctx_t *ngx_http_clockodo_get_module_ctx(
    ngx_http_request_t *r);


/* handler */

/* in both rewrite phases */
ngx_int_t ngx_http_clockodo_rewrite_handler(ngx_http_request_t *r);

/* in the precontent phase */
ngx_int_t ngx_http_clockodo_handler(ngx_http_request_t *r);


/* act */

/*
 * Does what the verdict asks for.  Returns NGX_DECLINED if the request goes
 * on to the content handler, NGX_DONE if it has been answered, or a status.
 */
ngx_int_t ngx_http_clockodo_act(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx);


/* body */

/* to be called if the module is on in some location */
void ngx_http_clockodo_body_filter_init(void);

/*
 * To be called whenever the reading of a body ends early.  Whatever is asked
 * for the next location, an error page as a rule, would announce a body that
 * does not come: the client has announced its length or nginx has counted it,
 * and the bytes were held back, or left on the connection.  So the body becomes
 * an empty one, wherever nginx or a module may look.
 */
void ngx_http_clockodo_leave_body(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx);

/*
 * Sets ctx->body to the whole request body in one piece, which may be that
 * of the request itself; ctx->early_fault if it is empty or too large.
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_clockodo_load_body(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx);


/* dedupe */

char *ngx_http_clockodo_dedupe(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* to be called if duplicates are looked for in some location */
void ngx_http_clockodo_dedupe_filter_init(void);

/*
 * Claims an accepted event, or finds out that it is a duplicate and changes
 * the verdict, or marks it.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_clockodo_claim(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx);

/*
 * Whether what has been forwarded was taken by whoever has answered; to be
 * asked once the status is known.
 */
ngx_uint_t ngx_http_clockodo_delivered(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx);

/*
 * The event was not delivered: its key is free again.  Does nothing if there
 * is no claim that is not settled.
 */
void ngx_http_clockodo_release(ngx_http_clockodo_ctx_t *ctx);


/* headers */

/*
 * To be called if the module is on in some location, when all variables are
 * known.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_clockodo_init_headers(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf);

/*
 * Takes every "X-Clockodo-" header out of those that go upstream, and those of
 * a signature, if there can be one.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_clockodo_clear_headers(ngx_http_request_t *r,
    ngx_uint_t signature);

/*
 * What was checked is said in its plainest form: an application may read more
 * out of the parameters than we do
 */
void ngx_http_clockodo_set_content_type(ngx_http_request_t *r);

/*
 * Adds those that have a value; show is a bit mask of what values have in
 * theirs.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_clockodo_add_headers(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_uint_t show);


/* handshake */

/*
 * Records the secret of a handshake.  Returns NGX_OK once it is on disk,
 * NGX_ERROR if it could not be recorded, ctx->unrecorded being set to why, or
 * NGX_DONE: the request goes on, by its phases, when either is known.
 */
ngx_int_t ngx_http_clockodo_record_secret(ngx_http_request_t *r,
    ngx_http_clockodo_secret_file_t *sf, ngx_http_clockodo_ctx_t *ctx);

/* mask */

/*
 * Overwrites the token in the request body, in memory and in its file.
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_clockodo_mask_body(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx);

/*
 * Sets value to the body with the token masked, whether or not the request
 * body is.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_clockodo_masked_body(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_str_t *value);


/* policy */

char *ngx_http_clockodo_events(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_clockodo_company(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* sets conf->policy to what a location's merged settings say */
void ngx_http_clockodo_set_policy(ngx_http_clockodo_loc_conf_t *conf);


/* redirect */

/*
 * To be called before a location does anything with a request that nginx may
 * have sent there.  Returns NGX_DECLINED, or a status.
 */
ngx_int_t ngx_http_clockodo_restore_ctx(ngx_http_request_t *r,
    ngx_http_clockodo_main_conf_t *mcf);


/* response */

/* sets ctx->verdict and logs why; unless in report mode also ctx->status */
void ngx_http_clockodo_reject(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx,
    clockodo_fault_e fault);

/* answers with an empty 200; returns NGX_DONE */
ngx_int_t ngx_http_clockodo_reply(ngx_http_request_t *r);

/*
 * Adds a response header; key and value are constants.  Returns NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_http_clockodo_add_header(ngx_http_request_t *r, char *key,
    char *value);


/* secret_file */

char *ngx_http_clockodo_secret_file(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* tells the status of it, also before it is open */
void ngx_http_clockodo_set_secret_file(ngx_http_clockodo_location_t *loc,
    ngx_http_clockodo_secret_file_t *sf);

/*
 * To be called when all files that nginx is to open are known.  Returns
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_clockodo_open_secret_files(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf);

/* warns if the error log has the file of secrets; returns NGX_OK */
ngx_int_t ngx_http_clockodo_check_error_log(ngx_cycle_t *cycle);


/* secrets: files of tokens or keys, one a line */

typedef struct {
    char        **errors;                  /* by clockodo_token_line_e */

    /* as clockodo_placeholder(), or NULL */
    const char *(*lint)(const unsigned char *token, size_t len, int line);

    /* returns what is wrong with a line, as a setter does */
    char       *(*add)(ngx_conf_t *cf, ngx_http_clockodo_loc_conf_t *lcf,
                       clockodo_token_line_t *tl);

    char         *what;                    /* there are, for a message */
} ngx_http_clockodo_secrets_t;

/* cmd->post is an ngx_http_clockodo_secrets_t */
char *ngx_http_clockodo_secrets_file(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* sign */

extern ngx_http_clockodo_secrets_t  ngx_http_clockodo_sign_secrets;

char *ngx_http_clockodo_sign_key(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Signs ctx->body by each key of the location, as Standard Webhooks does it,
 * and sets ctx->signature.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_clockodo_sign(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx);


/* store: what the locations that store events have in common */

/* for the merge: such a location is "on", and forwards no handshakes */
char *ngx_http_clockodo_check_store(ngx_conf_t *cf,
    ngx_http_clockodo_place_t *place);

/* for the content handler: NULL, with a line in the log, unless accepted */
ngx_http_clockodo_ctx_t *ngx_http_clockodo_accepted_ctx(ngx_http_request_t *r,
    char *directive);


/* task */

/*
 * A phase handler that returns NGX_DONE, or a content handler that raises
 * r->main->count, may leave a request until it is resumed, once.
 */
void ngx_http_clockodo_suspend(ngx_http_request_t *r);
void ngx_http_clockodo_resume(ngx_http_request_t *r);

typedef struct {
    /* what waits for a disk: it has no request, no pool and no log */
    void                        (*run)(void *data);

    /* in the event loop, after ngx_http_clockodo_post_task() has returned */
    void                        (*done)(void *data);

    void                         *data;
    ngx_event_t                   event;
#if (NGX_THREADS)
    ngx_thread_task_t             thread;
#endif
} ngx_http_clockodo_task_t;

/*
 * To be called when a directive is read that may lead to tasks: Angie gives
 * pools their threads before it merges settings.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_clockodo_init_tasks(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf);

/*
 * Runs a task in a thread, or at once where there are none.  It stays where
 * it is until it is done, and can then be posted again.  Returns NGX_OK, or
 * NGX_ERROR if too much waits for a thread.
 */
ngx_int_t ngx_http_clockodo_post_task(ngx_http_clockodo_main_conf_t *mcf,
    ngx_http_clockodo_task_t *task);


/* tokens */

extern ngx_http_clockodo_secrets_t  ngx_http_clockodo_token_secrets;

char *ngx_http_clockodo_token(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_clockodo_token_file(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* values */

/* which headers go upstream */
#define NGX_HTTP_CLOCKODO_SHOW_EVENT      1
#define NGX_HTTP_CLOCKODO_SHOW_VERDICT    2
#define NGX_HTTP_CLOCKODO_SHOW_SIGNATURE  4

typedef enum {
    NGX_HTTP_CLOCKODO_EVENT = 0,
    NGX_HTTP_CLOCKODO_ENTITY,
    NGX_HTTP_CLOCKODO_ACTION,
    NGX_HTTP_CLOCKODO_ENTITY_ID,
    NGX_HTTP_CLOCKODO_SUBSCRIPTION_ID,
    NGX_HTTP_CLOCKODO_COMPANY_ID,
    NGX_HTTP_CLOCKODO_OCCURRED_AT,
    NGX_HTTP_CLOCKODO_IDEMPOTENCY_KEY,
    NGX_HTTP_CLOCKODO_DUPLICATE,
    NGX_HTTP_CLOCKODO_VERDICT,
    NGX_HTTP_CLOCKODO_REASON,
    NGX_HTTP_CLOCKODO_WEBHOOK_ID,
    NGX_HTTP_CLOCKODO_WEBHOOK_TIMESTAMP,
    NGX_HTTP_CLOCKODO_WEBHOOK_SIGNATURE,
    NGX_HTTP_CLOCKODO_BODY,
    NGX_HTTP_CLOCKODO_VALUES
} ngx_http_clockodo_value_e;


/* what is known of an event, each with those before it */
#define NGX_HTTP_CLOCKODO_KNOWN_NOTHING   0
#define NGX_HTTP_CLOCKODO_KNOWN_ENVELOPE  1
#define NGX_HTTP_CLOCKODO_KNOWN_PAYLOAD   2

/* a value, a row for all who show it */

typedef struct {
    ngx_str_t     variable;                /* empty: none */
    ngx_str_t     header;                  /* empty: none */
    u_char       *lowcase_key;
    ngx_str_t     field;                   /* of an entry in Redis */

    ngx_uint_t    known;                   /* what must be, for a value */
    size_t        offset;                  /* in clockodo_event_t, or 0 */

    /*
     * Where that has none (yet): sets *value, which is empty before; returns
     * NGX_OK or NGX_ERROR
     */
    ngx_int_t   (*get)(ngx_http_request_t *r, ngx_http_clockodo_ctx_t *ctx,
                       ngx_str_t *value);

    ngx_uint_t    show;                    /* the header */
    ngx_uint_t    hash;                    /* of the lowcase_key */
} ngx_http_clockodo_value_t;

/* indexed by the enumeration */
extern ngx_http_clockodo_value_t
    ngx_http_clockodo_values[NGX_HTTP_CLOCKODO_VALUES];

/* what is known of an authentic event, also of one that was rejected later */
ngx_uint_t ngx_http_clockodo_known(ngx_http_clockodo_ctx_t *ctx);

/*
 * Sets value, empty where there is none to show; it lives as long as the
 * request.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_clockodo_get_value(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_value_e id,
    ngx_str_t *value);

/*
 * The same for those who ask for many values: known is what
 * ngx_http_clockodo_known() has said
 */
static ngx_inline ngx_int_t
ngx_http_clockodo_get_known_value(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_uint_t known,
    ngx_http_clockodo_value_t *v, ngx_str_t *value)
{
    clockodo_str_t  *text;

    text = (clockodo_str_t *) ((u_char *) &ctx->event + v->offset);

    if (v->offset && v->known <= known && text->len) {
        value->len = text->len;
        value->data = (u_char *) text->data;

        return NGX_OK;
    }

    ngx_str_set(value, "");

    return (v->get && v->known <= known) ? v->get(r, ctx, value) : NGX_OK;
}


/* variables */

/* in preconfiguration; returns NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_clockodo_add_variables(ngx_conf_t *cf);

/*
 * Finds those of nginx's variables that change with the request.  Returns
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_clockodo_index_variables(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf);

/* has nginx make out a variable anew that it may have cached */
void ngx_http_clockodo_forget_variable(ngx_http_request_t *r,
    ngx_int_t index);


#pragma GCC visibility pop


extern ngx_module_t  ngx_http_clockodo_module;


#endif /* _NGX_HTTP_CLOCKODO_H_INCLUDED_ */
