-- A store as schema version 14 had it: dumped from a running Gatehouse, whose seal it has.
BEGIN TRANSACTION;
CREATE TABLE access_grant ( kind TEXT NOT NULL CHECK (kind IN ('user', 'pattern', 'domain')), subject TEXT NOT NULL, policy TEXT NOT NULL REFERENCES access_policy (name) ON DELETE CASCADE, PRIMARY KEY (kind, subject)) STRICT;
CREATE TABLE access_policy (name TEXT PRIMARY KEY, xmpp_access INTEGER NOT NULL CHECK (xmpp_access IN (0, 1)), description TEXT NOT NULL) STRICT;
INSERT INTO "access_policy" VALUES('global',1,'');
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  at_unix_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0, uid INTEGER NOT NULL DEFAULT -1, reason TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO "audit" VALUES(1,1796001732634,'root','policy set','global',2,0,'');
INSERT INTO "audit" VALUES(2,1796001732757,'root','partner new','fabrikam.example',3,0,'first');
INSERT INTO "audit" VALUES(3,1796001732882,'root','partner new','verified.example',4,0,'');
INSERT INTO "audit" VALUES(4,1796001732978,'root','partner new','unverified.example',5,0,'');
INSERT INTO "audit" VALUES(5,1796001733086,'root','partner set','fabrikam.example',6,0,'');
INSERT INTO "audit" VALUES(6,1796001733206,'root','partner set','fabrikam.example',7,0,'');
INSERT INTO "audit" VALUES(7,1796001733366,'root','partner deny','*.bad.example',8,0,'');
INSERT INTO "audit" VALUES(8,1796001733474,'root','contact allow','ann@contoso.example juliet@unverified.example',0,0,'');
INSERT INTO "audit" VALUES(9,1796001733534,'root','contact block','ann@contoso.example tybalt@fabrikam.example',0,0,'');
CREATE TABLE certificate (
  name TEXT PRIMARY KEY,
  friendly_name TEXT NOT NULL,
  source TEXT NOT NULL,
  exportable INTEGER NOT NULL CHECK (exportable IN (0, 1)),
  chain TEXT NOT NULL,
  sealed_key TEXT NOT NULL,
  request TEXT NOT NULL,
  pending_key TEXT NOT NULL,
  pending_exportable INTEGER NOT NULL CHECK (pending_exportable IN (0, 1)),
  created_unix INTEGER NOT NULL
) STRICT;
CREATE TABLE certificate_slot (
  slot TEXT PRIMARY KEY CHECK (slot IN ('xmpp', 'sip')),
  name TEXT NOT NULL REFERENCES certificate (name)
) STRICT;
CREATE TABLE contact ( sip_user TEXT NOT NULL, domain_id INTEGER NOT NULL, local TEXT NOT NULL, mark INTEGER NOT NULL CHECK (mark IN (0, 1, 2)), seen_unix INTEGER NOT NULL, guard INTEGER, PRIMARY KEY (sip_user, domain_id, local)) STRICT, WITHOUT ROWID;
INSERT INTO "contact" VALUES('ann@contoso.example',1,'juliet',1,1796001733,-5878739687641165624);
INSERT INTO "contact" VALUES('ann@contoso.example',2,'tybalt',2,1796001733,3816580967519250197);
CREATE TABLE contact_domain ( id INTEGER PRIMARY KEY AUTOINCREMENT, domain TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO "contact_domain" VALUES(1,'unverified.example');
INSERT INTO "contact_domain" VALUES(2,'fabrikam.example');
CREATE TABLE denied_domain (domain TEXT PRIMARY KEY) STRICT;
INSERT INTO "denied_domain" VALUES('*.bad.example');
CREATE TABLE gateway (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  connection_limit INTEGER NOT NULL,
  partner_connection_limit INTEGER NOT NULL,
  keep_alive_interval_s INTEGER NOT NULL,
  stream_establishment_timeout_s INTEGER NOT NULL,
  stream_inactivity_timeout_s INTEGER NOT NULL,
  subscription_refresh_interval_s INTEGER NOT NULL,
  log_message_bodies INTEGER NOT NULL CHECK (log_message_bodies IN (0, 1))
, dialback_disabled_reply INTEGER NOT NULL DEFAULT 0 CHECK (dialback_disabled_reply IN (0, 1)), one_stream_per_pair INTEGER NOT NULL DEFAULT 0 CHECK (one_stream_per_pair IN (0, 1)), authorisation_ttl_s INTEGER NOT NULL DEFAULT 2592000, unverified_outbound_im INTEGER NOT NULL DEFAULT 0 CHECK (unverified_outbound_im IN (0, 1)), federation TEXT NOT NULL DEFAULT 'on' CHECK (federation IN ('on', 'off', 'inbound-only', 'outbound-only')), discover INTEGER NOT NULL DEFAULT 0 CHECK (discover IN (0, 1)), synthetic_interval_s INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "gateway" VALUES(1,1000,20,300,60,600,28800,0,0,0,2592000,0,'on',0,0);
CREATE TABLE partner (
  id TEXT PRIMARY KEY,
  type TEXT NOT NULL CHECK (type IN ('public-unverified', 'public-verified', 'federated')),
  tls TEXT NOT NULL CHECK (tls IN ('required', 'optional', 'not-supported')),
  sasl TEXT NOT NULL CHECK (sasl IN ('required', 'optional', 'not-supported')),
  dialback INTEGER NOT NULL CHECK (dialback IN (0, 1)),
  connection_limit INTEGER NOT NULL,
  keep_alive INTEGER NOT NULL CHECK (keep_alive IN (0, 1)),
  proxy TEXT NOT NULL,
  description TEXT NOT NULL,
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  revision INTEGER NOT NULL
, trust_anchors TEXT NOT NULL DEFAULT '', strict_sasl INTEGER NOT NULL DEFAULT 0 CHECK (strict_sasl IN (0, 1)), bidi INTEGER NOT NULL DEFAULT 0 CHECK (bidi IN (0, 1)), same_certificate INTEGER NOT NULL DEFAULT 0 CHECK (same_certificate IN (0, 1)), dane TEXT NOT NULL DEFAULT 'report' CHECK (dane IN ('off', 'report', 'enforce')), expires_unix INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "partner" VALUES('ab546e4e3ba3b4be','public-verified','required','optional',1,0,1,'','',1,4,'',0,0,0,'report',0);
INSERT INTO "partner" VALUES('85375d02e168ef90','public-unverified','required','required',1,7,1,'proxy.example:5270','',1,5,'',0,0,0,'report',0);
INSERT INTO "partner" VALUES('18f5055c764c079c','federated','required','required',1,0,1,'','was "type":"FEDERATED"',1,7,'',0,0,0,'report',2116972800);
CREATE TABLE partner_domain (
  domain TEXT PRIMARY KEY,
  partner_id TEXT NOT NULL REFERENCES partner (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  UNIQUE (partner_id, position)
) STRICT;
INSERT INTO "partner_domain" VALUES('verified.example','ab546e4e3ba3b4be',0);
INSERT INTO "partner_domain" VALUES('unverified.example','85375d02e168ef90',0);
INSERT INTO "partner_domain" VALUES('fabrikam.example','18f5055c764c079c',0);
INSERT INTO "partner_domain" VALUES('chat.fabrikam.example','18f5055c764c079c',1);
INSERT INTO "partner_domain" VALUES('*.b.example','18f5055c764c079c',2);
CREATE TABLE record_change (  audit_seq INTEGER NOT NULL REFERENCES audit (seq),  position INTEGER NOT NULL,  kind TEXT NOT NULL,  key TEXT NOT NULL,  before TEXT NOT NULL,  after TEXT NOT NULL, sets TEXT NOT NULL DEFAULT 'whole' CHECK (sets IN ('whole', 'difference')),  PRIMARY KEY (audit_seq, position)) STRICT, WITHOUT ROWID;
INSERT INTO "record_change" VALUES(1,0,'policy','global','{"name":"global","xmpp_access":false,"description":"","users":[],"patterns":[],"domains":[]}','{"name":"global","xmpp_access":true,"description":"","users":[],"patterns":[],"domains":[]}','difference');
INSERT INTO "record_change" VALUES(2,0,'partner','fabrikam.example','','{"id":"18f5055c764c079c","domain":"fabrikam.example","additional_domains":["chat.fabrikam.example","*.b.example"],"type":"FEDERATED","tls":"REQUIRED","sasl":"REQUIRED","dialback":true,"connection_limit":0,"keep_alive":true,"proxy":"","description":"was \"type\":\"FEDERATED\"","enabled":true,"revision":"0","trust_anchors":"","strict_sasl":false,"bidi":false,"same_certificate":false,"dane":"REPORT","expires_unix":"0","tls_seen_unix":"0"}','whole');
INSERT INTO "record_change" VALUES(3,0,'partner','verified.example','','{"id":"ab546e4e3ba3b4be","domain":"verified.example","additional_domains":[],"type":"PUBLIC_VERIFIED","tls":"REQUIRED","sasl":"OPTIONAL","dialback":true,"connection_limit":0,"keep_alive":true,"proxy":"","description":"","enabled":true,"revision":"0","trust_anchors":"","strict_sasl":false,"bidi":false,"same_certificate":false,"dane":"REPORT","expires_unix":"0","tls_seen_unix":"0"}','whole');
INSERT INTO "record_change" VALUES(4,0,'partner','unverified.example','','{"id":"85375d02e168ef90","domain":"unverified.example","additional_domains":[],"type":"PUBLIC_UNVERIFIED","tls":"REQUIRED","sasl":"REQUIRED","dialback":true,"connection_limit":7,"keep_alive":true,"proxy":"proxy.example:5270","description":"","enabled":true,"revision":"0","trust_anchors":"","strict_sasl":false,"bidi":false,"same_certificate":false,"dane":"REPORT","expires_unix":"0","tls_seen_unix":"0"}','whole');
INSERT INTO "record_change" VALUES(5,0,'partner','fabrikam.example','{"id":"18f5055c764c079c","domain":"fabrikam.example","additional_domains":["chat.fabrikam.example","*.b.example"],"type":"FEDERATED","tls":"REQUIRED","sasl":"REQUIRED","dialback":true,"connection_limit":0,"keep_alive":true,"proxy":"","description":"was \"type\":\"FEDERATED\"","enabled":true,"revision":"3","trust_anchors":"","strict_sasl":false,"bidi":false,"same_certificate":false,"dane":"REPORT","expires_unix":"0","tls_seen_unix":"0"}','{"id":"18f5055c764c079c","domain":"fabrikam.example","additional_domains":["chat.fabrikam.example","*.b.example"],"type":"PUBLIC_VERIFIED","tls":"REQUIRED","sasl":"REQUIRED","dialback":true,"connection_limit":0,"keep_alive":true,"proxy":"","description":"was \"type\":\"FEDERATED\"","enabled":true,"revision":"3","trust_anchors":"","strict_sasl":false,"bidi":false,"same_certificate":false,"dane":"REPORT","expires_unix":"0","tls_seen_unix":"0"}','whole');
INSERT INTO "record_change" VALUES(6,0,'partner','fabrikam.example','{"id":"18f5055c764c079c","domain":"fabrikam.example","additional_domains":["chat.fabrikam.example","*.b.example"],"type":"PUBLIC_VERIFIED","tls":"REQUIRED","sasl":"REQUIRED","dialback":true,"connection_limit":0,"keep_alive":true,"proxy":"","description":"was \"type\":\"FEDERATED\"","enabled":true,"revision":"6","trust_anchors":"","strict_sasl":false,"bidi":false,"same_certificate":false,"dane":"REPORT","expires_unix":"0","tls_seen_unix":"0"}','{"id":"18f5055c764c079c","domain":"fabrikam.example","additional_domains":["chat.fabrikam.example","*.b.example"],"type":"FEDERATED","tls":"REQUIRED","sasl":"REQUIRED","dialback":true,"connection_limit":0,"keep_alive":true,"proxy":"","description":"was \"type\":\"FEDERATED\"","enabled":true,"revision":"6","trust_anchors":"","strict_sasl":false,"bidi":false,"same_certificate":false,"dane":"REPORT","expires_unix":"2116972800","tls_seen_unix":"0"}','whole');
INSERT INTO "record_change" VALUES(7,0,'denied_domain','*.bad.example','','{"domain":"*.bad.example"}','whole');
INSERT INTO "record_change" VALUES(8,0,'contact','ann@contoso.example juliet@unverified.example','','{"state":"allowed","seen_unix":1796001733}','whole');
INSERT INTO "record_change" VALUES(9,0,'contact','ann@contoso.example tybalt@fabrikam.example','','{"state":"blocked","seen_unix":1796001733}','whole');
CREATE TABLE store_state (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  revision INTEGER NOT NULL
, contacts_epoch INTEGER NOT NULL DEFAULT 1, checksum TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO "store_state" VALUES(1,8,3,'9999a1238242b06d1f4df9a4fb505ed8fdff04bb50ce549901f54a8e2d5326df');
CREATE TABLE tls_memory (partner_id TEXT PRIMARY KEY, at_unix INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX audit_revision ON audit (revision) WHERE revision > 0;
CREATE INDEX record_change_key ON record_change (key);
CREATE INDEX contact_blocked ON contact (domain_id) WHERE mark = 2;
CREATE INDEX access_grant_policy ON access_grant (policy);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('contact_domain',2);
COMMIT;
PRAGMA application_id = 0x47415445;
PRAGMA user_version = 14;
