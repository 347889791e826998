
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _NGX_HTTP_CLOCKODO_VERSION_H_INCLUDED_
#define _NGX_HTTP_CLOCKODO_VERSION_H_INCLUDED_


/* as in CHANGELOG.md, see tools/version */
#define NGX_HTTP_CLOCKODO_VERSION  "0.2.0"


#endif /* _NGX_HTTP_CLOCKODO_VERSION_H_INCLUDED_ */
