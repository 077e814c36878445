// Written by ssgui. Which hosts go through the proxy is decided here, without a question to any name server.
var own = Object.prototype.hasOwnProperty;
var PROXY = @PROXY@;
var ROUTES = @ROUTES@; // one letter for each level: p proxy, d direct; the lowest level that knows a URL decides
var DEFAULT = @DEFAULT@;
var SUFFIXES = table([[-1, "local,localhost,home.arpa,internal"]].concat(@SUFFIXES@)); // -1: never sent away
var HOSTS = table(@HOSTS@);
var PREFIXES = @PREFIXES@;
// What is an expression: [level, what it is searched in ("h" host, "u" URL), expression, its one scheme or ""].
var LABELS = @LABELS@; // by a label that a host must have
var PATTERNS = @PATTERNS@; // the rest, lowest level first
var TEXTS = @TEXTS@; // by five letters that an http URL must have: [level, text, or expression if there is a 1]

function table(levels) {
  var found = {}, i, j, names;
  for (i = 0; i < levels.length; i++) {
    names = levels[i][1].split(",");
    for (j = 0; j < names.length; j++) {
      if (!own.call(found, names[j])) found[names[j]] = levels[i][0];
    }
  }
  return found;
}

function isPrivate4(a, b, c, d) {
  return a === 0 || a === 10 || a === 127 || (a >= 224 && a <= 239) || (a === 100 && b >= 64 && b <= 127) ||
    (a === 169 && b === 254) || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168) ||
    (a === 255 && b === 255 && c === 255 && d === 255);
}

function numbers4(host) {
  var parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host), found = [], i;
  if (!parts) return null;
  for (i = 1; i < 5; i++) {
    if (parts[i] > 255 || (parts[i].length > 1 && parts[i].charAt(0) === "0")) return null;
    found.push(+parts[i]);
  }
  return found;
}

function words(text) {
  var parts = text === "" ? [] : text.split(":"), found = [], i, last;
  for (i = 0; i < parts.length; i++) {
    if (i === parts.length - 1 && parts[i].indexOf(".") >= 0) {
      last = numbers4(parts[i]);
      if (!last) return null;
      found.push(last[0] * 256 + last[1], last[2] * 256 + last[3]);
    } else {
      if (!/^[0-9a-f]{1,4}$/.test(parts[i])) return null;
      found.push(parseInt(parts[i], 16));
    }
  }
  return found;
}

function numbers6(host) {
  var halves = host.split("::"), left, right;
  if (halves.length > 2) return null;
  left = words(halves[0]);
  right = halves.length === 2 ? words(halves[1]) : [];
  if (!left || !right || (halves.length === 2 && halves[0].indexOf(".") >= 0)) return null;
  if (halves.length === 1) return left.length === 8 ? left : null;
  if (left.length + right.length > 7) return null;
  while (left.length + right.length < 8) left.push(0);
  return left.concat(right);
}

function isPrivate6(w) {
  var zeros = w[0] + w[1] + w[2] + w[3] + w[4] === 0;
  if (zeros && w[5] === 65535) return isPrivate4(w[6] >> 8, w[6] & 255, w[7] >> 8, w[7] & 255);
  if (zeros && w[5] + w[6] === 0 && w[7] < 2) return true;
  return (w[0] & 65472) === 65152 || (w[0] & 65024) === 64512 || (w[0] & 65280) === 65280;
}

function text6(w) {
  var best = -1, size = 1, i, j, out = "";
  for (i = 0; i < 8; i = j + 1) {
    for (j = i; j < 8 && w[j] === 0; j++) {}
    if (j - i > size) { best = i; size = j - i; }
  }
  for (i = 0; i < 8; i++) {
    if (i === best) { out += "::"; i += size - 1; continue; }
    if (out && out.charAt(out.length - 1) !== ":") out += ":";
    out += w[i].toString(16);
  }
  return out;
}

function normal(host) {
  host = ("" + host).toLowerCase();
  if (host.indexOf(":") >= 0) return host.replace(/^\[|\]$/g, "").replace(/%.*$/, "");
  return host.charAt(host.length - 1) === "." ? host.replace(/\.+$/, "") : host;
}

// What is looked at: all of an http or ws URL but user, fragment and default port; of others scheme and host.
function seen(url, scheme, shape) {
  var found, port, rest;
  if (scheme !== "http" && scheme !== "ws") return scheme + "://" + shape + "/";
  found = /^[a-z]+:\/\/([^\/?#]*)([^#]*)/.exec(url);
  if (!found) return scheme + "://" + shape + "/";
  port = /:(\d+)$/.exec(found[1]);
  rest = found[2].charAt(0) === "/" ? found[2] : "/" + found[2];
  return (scheme + "://" + shape + (port && port[1] !== "80" ? port[0] : "") + rest).slice(0, 2048);
}

function finds(one, scheme, url, host) {
  if (one[3] && one[3] !== scheme) return false;
  if (typeof one[2] === "string") one[2] = new RegExp(one[2], "i"); // when it is wanted for the first time
  return one[2].test(one[1] === "h" ? host : url);
}

function lowestText(url, level) {
  var at, i, list, one;
  for (at = 0; at + 5 <= url.length; at++) {
    if (!own.call(TEXTS, url.substr(at, 5))) continue;
    list = TEXTS[url.substr(at, 5)];
    for (i = 0; i < list.length; i++) {
      one = list[i];
      if (one[0] >= level) continue;
      if (one[2] === 1) one[2] = new RegExp(one[1], "i"); // when it is wanted for the first time
      if (one[2] ? one[2].test(url) : url.indexOf(one[1]) >= 0) level = one[0];
    }
  }
  return level;
}

function lowest(url, host) {
  var scheme, shape, four, six, last, level = ROUTES.length, rest, at, label, key, list, i;
  url = ("" + url).toLowerCase();
  scheme = url.slice(0, url.indexOf(":"));
  shape = host = normal(host);
  if (host.indexOf(":") >= 0) {
    six = numbers6(host);
    if (six) {
      if (isPrivate6(six)) return -1;
      host = text6(six);
    }
    shape = "[" + host + "]";
  } else {
    if (host.indexOf(".") < 0) return -1;
    last = host.charCodeAt(host.length - 1);
    four = last > 47 && last < 58 ? numbers4(host) : null;
    if (four && isPrivate4(four[0], four[1], four[2], four[3])) return -1;
  }
  url = seen(url, scheme, shape);
  if (own.call(HOSTS, host)) level = HOSTS[host];
  for (rest = host; ; rest = rest.slice(at + 1)) {
    if (own.call(SUFFIXES, rest) && SUFFIXES[rest] < level) level = SUFFIXES[rest];
    at = rest.indexOf(".");
    label = at < 0 ? rest : rest.slice(0, at);
    if (own.call(LABELS, label)) {
      list = LABELS[label];
      for (i = 0; i < list.length; i++) {
        if (list[i][0] < level && finds(list[i], scheme, url, host)) level = list[i][0];
      }
    }
    if (at < 0) break;
  }
  if (level < 0) return -1;
  key = scheme + "://" + host;
  if (own.call(PREFIXES, key)) {
    list = PREFIXES[key];
    for (i = 0; i < list.length; i++) {
      if (list[i][0] < level && url.lastIndexOf(list[i][1], 0) === 0 &&
          (list[i][2] || ":/?".indexOf(url.charAt(list[i][1].length)) >= 0)) level = list[i][0];
    }
  }
  if (TEXTS && scheme === "http") level = lowestText(url, level);
  for (i = 0; i < PATTERNS.length && PATTERNS[i][0] < level; i++) {
    if (finds(PATTERNS[i], scheme, url, host)) return PATTERNS[i][0];
  }
  return level;
}

function FindProxyForURL(url, host) {
  try {
    var level = lowest(url, host);
    if (level < 0) return "DIRECT";
    return (level < ROUTES.length ? ROUTES.charAt(level) : DEFAULT) === "p" ? PROXY : "DIRECT";
  } catch (error) {
    return PROXY;
  }
}
