<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
<context>
    <name>ssgui</name>
    <message>
        <source>1 error in 10 min</source>
        <translation>1 个错误（10 分钟内）</translation>
    </message>
    <message>
        <source>1 error, skipped</source>
        <translation>1 处错误，已跳过</translation>
    </message>
    <message>
        <source>1 line not understood</source>
        <translation>1 行无法理解</translation>
    </message>
    <message>
        <source>1 line was not understood, and is skipped.</source>
        <translation>有 1 行无法理解，已跳过。</translation>
    </message>
    <message>
        <source>1 rule</source>
        <translation>1 条规则</translation>
    </message>
    <message>
        <source>A SOCKS5 or HTTP proxy that this network wants, or Tor. TCP only, and no plugins.</source>
        <translation>所在网络要求的 SOCKS5 或 HTTP 代理，或者 Tor。仅支持 TCP，不支持插件。</translation>
    </message>
    <message>
        <source>A Shadowsocks client and server that show what they do</source>
        <translation>看得见每一步的 Shadowsocks 客户端与服务器</translation>
    </message>
    <message>
        <source>A browser then goes past the proxy, unprotected, whenever ssgui does not answer.</source>
        <translation>这样一来，只要 ssgui 没有应答，浏览器就会不受保护地绕过代理。</translation>
    </message>
    <message>
        <source>A code that stands for one site. Search for the whole name of a site to find it.</source>
        <translation>代表一个站点的代码。搜索站点的完整名称即可找到它。</translation>
    </message>
    <message>
        <source>A command tells the programs of a terminal.</source>
        <translation>可以用一条命令告诉终端里的程序。</translation>
    </message>
    <message>
        <source>A connection was played again.</source>
        <translation>有连接被重放。</translation>
    </message>
    <message>
        <source>A list from an address</source>
        <translation>来自网址的列表</translation>
    </message>
    <message>
        <source>A list of servers, kept up to date</source>
        <translation>自动更新的服务器列表</translation>
    </message>
    <message>
        <source>A name went to the server as it was. Nobody was asked for it here.</source>
        <translation>域名原样交给了服务器，本地没有查询。</translation>
    </message>
    <message>
        <source>A new history was begun.</source>
        <translation>已开始新的历史记录。</translation>
    </message>
    <message>
        <source>A program</source>
        <translation>某个程序</translation>
    </message>
    <message>
        <source>A program asked for nothing that a proxy understands.</source>
        <translation>有程序发出的请求不是代理能理解的。</translation>
    </message>
    <message>
        <source>A program connected, and did not say what it wants.</source>
        <translation>有程序已连接，但没有说明要做什么。</translation>
    </message>
    <message>
        <source>A quotation mark is not closed.</source>
        <translation>引号没有闭合。</translation>
    </message>
    <message>
        <source>A server and a web site on this computer. Nothing leaves it.</source>
        <translation>服务器和网站都在本机，数据不会离开这台电脑。</translation>
    </message>
    <message>
        <source>A server does so when the target does.</source>
        <translation>目标重置时，服务器也会这样做。</translation>
    </message>
    <message>
        <source>A server for this run only.</source>
        <translation>仅用于本次运行的服务器。</translation>
    </message>
    <message>
        <source>A test through it got nothing either.</source>
        <translation>经它测试也没有收到任何数据。</translation>
    </message>
    <message>
        <source>About ssgui</source>
        <translation>关于 ssgui</translation>
    </message>
    <message>
        <source>Accepted</source>
        <translation>已接受</translation>
    </message>
    <message>
        <source>Active {count}</source>
        <translation>活动 {count}</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>添加</translation>
    </message>
    <message>
        <source>Add a subscription</source>
        <translation>添加订阅</translation>
    </message>
    <message>
        <source>Add a subscription…</source>
        <translation>添加订阅…</translation>
    </message>
    <message>
        <source>Add and connect</source>
        <translation>添加并连接</translation>
    </message>
    <message>
        <source>Add and use the first</source>
        <translation>添加并使用第一个</translation>
    </message>
    <message>
        <source>Add list</source>
        <translation>添加列表</translation>
    </message>
    <message>
        <source>Add one server</source>
        <translation>添加一个服务器</translation>
    </message>
    <message>
        <source>Add one to start</source>
        <translation>添加一个即可开始</translation>
    </message>
    <message>
        <source>Add server</source>
        <translation>添加服务器</translation>
    </message>
    <message>
        <source>Add your first server</source>
        <translation>添加第一个服务器</translation>
    </message>
    <message>
        <source>Add {count} servers</source>
        <translation>添加 {count} 个服务器</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>地址</translation>
    </message>
    <message>
        <source>Address already in use</source>
        <translation>地址已被占用</translation>
    </message>
    <message>
        <source>Address of the PAC</source>
        <translation>PAC 地址</translation>
    </message>
    <message>
        <source>Address to explain</source>
        <translation>要说明的网址</translation>
    </message>
    <message>
        <source>Addresses</source>
        <translation>地址</translation>
    </message>
    <message>
        <source>After the next start.</source>
        <translation>下次启动后生效。</translation>
    </message>
    <message>
        <source>After {size} and {time}.</source>
        <translation>已传输 {size}，历时 {time}。</translation>
    </message>
    <message>
        <source>Age</source>
        <translation>时长</translation>
    </message>
    <message>
        <source>All</source>
        <translation>全部</translation>
    </message>
    <message>
        <source>All programs; each request follows the rules</source>
        <translation>所有程序，每个请求都按规则处理</translation>
    </message>
    <message>
        <source>All {all} requests came with a name, which only the server sees.</source>
        <translation>全部 {all} 个请求带的都是域名，只有服务器看得到。</translation>
    </message>
    <message>
        <source>Allow</source>
        <translation>允许</translation>
    </message>
    <message>
        <source>Allow old methods</source>
        <translation>允许过时的加密方式</translation>
    </message>
    <message>
        <source>Always direct</source>
        <translation>始终直连</translation>
    </message>
    <message>
        <source>Always direct: {host}</source>
        <translation>始终直连：{host}</translation>
    </message>
    <message>
        <source>Always proxy</source>
        <translation>始终代理</translation>
    </message>
    <message>
        <source>Always proxy: {host}</source>
        <translation>始终代理：{host}</translation>
    </message>
    <message>
        <source>Always through the proxy: {host}</source>
        <translation>始终代理：{host}</translation>
    </message>
    <message>
        <source>An answer came back through the server in {time}.</source>
        <translation>经服务器收到了应答，用时 {time}。</translation>
    </message>
    <message>
        <source>An answer that came over https says so.</source>
        <translation>依据是一次 https 应答中的时间。</translation>
    </message>
    <message>
        <source>An answer was played again.</source>
        <translation>有应答被重放。</translation>
    </message>
    <message>
        <source>Another program has changed the system's proxy.</source>
        <translation>其他程序修改了系统代理。</translation>
    </message>
    <message>
        <source>Another server tried</source>
        <translation>改试另一个服务器</translation>
    </message>
    <message>
        <source>Another target answered through the same server meanwhile.</source>
        <translation>同一服务器上的另一个目标在此期间有应答。</translation>
    </message>
    <message>
        <source>Anybody on the way can change what they carry, unnoticed.</source>
        <translation>途中任何人都能悄悄篡改其内容。</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>外观</translation>
    </message>
    <message>
        <source>Arrows move it, with Shift they change its length; double-click for all</source>
        <translation>方向键移动，配合 Shift 调整长度；双击显示全部</translation>
    </message>
    <message>
        <source>As codes</source>
        <translation>以代码记录</translation>
    </message>
    <message>
        <source>As it was left</source>
        <translation>保持上次的状态</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>As they come</source>
        <translation>保持原样</translation>
    </message>
    <message>
        <source>Asked through the proxy, once a day. Nothing is installed by itself.</source>
        <translation>每天经由代理查询一次，不会自行安装。</translation>
    </message>
    <message>
        <source>Asks before its plugin starts</source>
        <translation>启动插件前会先询问</translation>
    </message>
    <message>
        <source>Auth failed</source>
        <translation>认证失败</translation>
    </message>
    <message>
        <source>AutoProxy, geosite, hosts, domains or address ranges: the format is found out.</source>
        <translation>AutoProxy、geosite、hosts、域名或地址段，会自动识别格式。</translation>
    </message>
    <message>
        <source>Automatic: lowest latency</source>
        <translation>自动：延迟最低</translation>
    </message>
    <message>
        <source>Automatic: switch on failure</source>
        <translation>自动：故障时切换</translation>
    </message>
    <message>
        <source>Back to the connections</source>
        <translation>返回连接</translation>
    </message>
    <message>
        <source>Back to the list</source>
        <translation>返回列表</translation>
    </message>
    <message>
        <source>Bad request</source>
        <translation>请求无效</translation>
    </message>
    <message>
        <source>Bars by the clock</source>
        <translation>按时钟排列</translation>
    </message>
    <message>
        <source>Bars from zero</source>
        <translation>从零对齐</translation>
    </message>
    <message>
        <source>Beyond 30 s nothing goes through {server} any more.</source>
        <translation>超过 30 秒后，{server} 将完全无法使用。</translation>
    </message>
    <message>
        <source>Browsers ask the rules. What knows no PAC goes past the server.</source>
        <translation>浏览器按规则走。不认识 PAC 的程序绕过服务器。</translation>
    </message>
    <message>
        <source>Browsers ask the rules; other programs go direct</source>
        <translation>浏览器按规则访问，其他程序直连</translation>
    </message>
    <message>
        <source>Browsers do not get the new rules.</source>
        <translation>浏览器没有拿到新规则。</translation>
    </message>
    <message>
        <source>Browsers go directly if ssgui does not run</source>
        <translation>ssgui 未运行时浏览器直连</translation>
    </message>
    <message>
        <source>By address</source>
        <translation>按地址</translation>
    </message>
    <message>
        <source>By name</source>
        <translation>记录名称</translation>
    </message>
    <message>
        <source>CSV, for a spreadsheet…</source>
        <translation>CSV（用于电子表格）…</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Carry UDP</source>
        <translation>转发 UDP</translation>
    </message>
    <message>
        <source>Changes are not saved.</source>
        <translation>更改没有保存。</translation>
    </message>
    <message>
        <source>Check again</source>
        <translation>再次检查</translation>
    </message>
    <message>
        <source>Check the address</source>
        <translation>检查地址</translation>
    </message>
    <message>
        <source>Check the clock</source>
        <translation>检查时钟</translation>
    </message>
    <message>
        <source>Check the password</source>
        <translation>检查密码</translation>
    </message>
    <message>
        <source>Check the server</source>
        <translation>检查服务器</translation>
    </message>
    <message>
        <source>Checking asks one page directly.</source>
        <translation>检查时会直接询问一个网页。</translation>
    </message>
    <message>
        <source>Checking…</source>
        <translation>正在检查…</translation>
    </message>
    <message>
        <source>Cipher not supported</source>
        <translation>不支持此加密方式</translation>
    </message>
    <message>
        <source>Clear filter</source>
        <translation>清除筛选</translation>
    </message>
    <message>
        <source>Clear history</source>
        <translation>清除历史记录</translation>
    </message>
    <message>
        <source>Client not reading</source>
        <translation>客户端未读取</translation>
    </message>
    <message>
        <source>Client reset</source>
        <translation>客户端重置</translation>
    </message>
    <message>
        <source>Clock skew</source>
        <translation>时钟偏差</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Close connection</source>
        <translation>关闭连接</translation>
    </message>
    <message>
        <source>Close filtered</source>
        <translation>关闭筛选结果</translation>
    </message>
    <message>
        <source>Close the connection</source>
        <translation>关闭连接</translation>
    </message>
    <message>
        <source>Closed by you</source>
        <translation>手动关闭</translation>
    </message>
    <message>
        <source>Closed {count}</source>
        <translation>已关闭 {count}</translation>
    </message>
    <message>
        <source>Columns</source>
        <translation>列</translation>
    </message>
    <message>
        <source>Connect to server</source>
        <translation>连接服务器</translation>
    </message>
    <message>
        <source>Connect to target</source>
        <translation>连接目标</translation>
    </message>
    <message>
        <source>Connected</source>
        <translation>已连接</translation>
    </message>
    <message>
        <source>Connecting</source>
        <translation>连接中</translation>
    </message>
    <message>
        <source>Connecting to the server</source>
        <translation>连接服务器</translation>
    </message>
    <message>
        <source>Connecting to the target</source>
        <translation>连接目标</translation>
    </message>
    <message>
        <source>Connecting…</source>
        <translation>正在连接…</translation>
    </message>
    <message>
        <source>Connection refused</source>
        <translation>连接被拒绝</translation>
    </message>
    <message>
        <source>Connection reset by peer</source>
        <translation>连接被对方重置</translation>
    </message>
    <message>
        <source>Connection timed out</source>
        <translation>连接超时</translation>
    </message>
    <message>
        <source>Connections</source>
        <translation>连接</translation>
    </message>
    <message>
        <source>Connections come here when they are over.</source>
        <translation>连接结束后会出现在这里。</translation>
    </message>
    <message>
        <source>Connections to {host} time out.</source>
        <translation>连接 {host} 超时。</translation>
    </message>
    <message>
        <source>Connections to {server} time out.</source>
        <translation>连接 {server} 超时。</translation>
    </message>
    <message>
        <source>Connections…</source>
        <translation>连接…</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>已复制</translation>
    </message>
    <message>
        <source>Copied as a curl command</source>
        <translation>已复制为 curl 命令</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Copy PAC URL</source>
        <translation>复制 PAC 地址</translation>
    </message>
    <message>
        <source>Copy a link, a picture of a QR code, or a file first.</source>
        <translation>请先复制链接、二维码图片或文件。</translation>
    </message>
    <message>
        <source>Copy as curl</source>
        <translation>复制为 curl 命令</translation>
    </message>
    <message>
        <source>Copy its address</source>
        <translation>复制它的网址</translation>
    </message>
    <message>
        <source>Copy link</source>
        <translation>复制链接</translation>
    </message>
    <message>
        <source>Copy proxy command</source>
        <translation>复制代理命令</translation>
    </message>
    <message>
        <source>Copy the address</source>
        <translation>复制地址</translation>
    </message>
    <message>
        <source>Copy the target</source>
        <translation>复制目标</translation>
    </message>
    <message>
        <source>DNS failed</source>
        <translation>解析失败</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>Day</source>
        <translation>日期</translation>
    </message>
    <message>
        <source>Days</source>
        <translation>每日</translation>
    </message>
    <message>
        <source>Days to keep it</source>
        <translation>保留天数</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>删除</translation>
    </message>
    <message>
        <source>Demo (this computer)</source>
        <translation>演示（本机）</translation>
    </message>
    <message>
        <source>Denied</source>
        <translation>已拒绝</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>详情</translation>
    </message>
    <message>
        <source>Diagnose…</source>
        <translation>诊断…</translation>
    </message>
    <message>
        <source>Diagnosis</source>
        <translation>诊断</translation>
    </message>
    <message>
        <source>Direct</source>
        <translation>直连</translation>
    </message>
    <message>
        <source>Direct connections work ({count} targets).</source>
        <translation>直连正常（{count} 个目标）。</translation>
    </message>
    <message>
        <source>Direct for {minutes} min</source>
        <translation>直连，还剩 {minutes} 分钟</translation>
    </message>
    <message>
        <source>Down</source>
        <translation>下行</translation>
    </message>
    <message>
        <source>Down blocked</source>
        <translation>下行受阻</translation>
    </message>
    <message>
        <source>Down flows again</source>
        <translation>下行恢复</translation>
    </message>
    <message>
        <source>Down rate</source>
        <translation>下行速率</translation>
    </message>
    <message>
        <source>Down total</source>
        <translation>下行总量</translation>
    </message>
    <message>
        <source>Down {down}, up {up}</source>
        <translation>下行 {down}，上行 {up}</translation>
    </message>
    <message>
        <source>Down: R and W</source>
        <translation>下行：R 与 W</translation>
    </message>
    <message>
        <source>Down: {what}</source>
        <translation>下行：{what}</translation>
    </message>
    <message>
        <source>Duplicate</source>
        <translation>复制一份</translation>
    </message>
    <message>
        <source>Edit my rules…</source>
        <translation>编辑我的规则…</translation>
    </message>
    <message>
        <source>Edit servers…</source>
        <translation>编辑服务器…</translation>
    </message>
    <message>
        <source>End</source>
        <translation>结果</translation>
    </message>
    <message>
        <source>End it</source>
        <translation>结束演示</translation>
    </message>
    <message>
        <source>Ended</source>
        <translation>已结束</translation>
    </message>
    <message>
        <source>Enter details by hand</source>
        <translation>手动填写</translation>
    </message>
    <message>
        <source>Equal sites have equal codes. Who has this computer's files can still check a guess.</source>
        <translation>相同的站点代码相同。拿到这台电脑文件的人仍可验证猜测。</translation>
    </message>
    <message>
        <source>Errors</source>
        <translation>错误</translation>
    </message>
    <message>
        <source>Events</source>
        <translation>事件</translation>
    </message>
    <message>
        <source>Every connection and where it goes</source>
        <translation>每个连接及其去向</translation>
    </message>
    <message>
        <source>Everybody on this network can use it. Set a name and a password in the settings.</source>
        <translation>当前网络里的任何人都能使用。请在设置中设定用户名和密码。</translation>
    </message>
    <message>
        <source>Everybody who reaches this computer can use the proxy. Set a name and a password below.</source>
        <translation>能连到这台电脑的人都可以使用此代理。请在下面设置用户名和密码。</translation>
    </message>
    <message>
        <source>Everything</source>
        <translation>全部</translation>
    </message>
    <message>
        <source>Everything goes directly for now.</source>
        <translation>目前所有流量都直连。</translation>
    </message>
    <message>
        <source>Everything through the server</source>
        <translation>所有流量都经过服务器</translation>
    </message>
    <message>
        <source>Explain</source>
        <translation>说明</translation>
    </message>
    <message>
        <source>Export all servers</source>
        <translation>导出所有服务器</translation>
    </message>
    <message>
        <source>Export all servers…</source>
        <translation>导出所有服务器…</translation>
    </message>
    <message>
        <source>Export connections</source>
        <translation>导出连接</translation>
    </message>
    <message>
        <source>Export the history</source>
        <translation>导出历史记录</translation>
    </message>
    <message>
        <source>Export what is shown</source>
        <translation>导出当前显示的连接</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>Fetch subscriptions and lists directly if the proxy fails</source>
        <translation>代理失败时直接获取订阅和列表</translation>
    </message>
    <message>
        <source>Fetched through a server to see whether it works.</source>
        <translation>通过服务器获取，以检查它是否可用。</translation>
    </message>
    <message>
        <source>Filter</source>
        <translation>筛选</translation>
    </message>
    <message>
        <source>Filter: host, stage:connecting, reason:, -direct, &gt;1MB, age&gt;30s</source>
        <translation>筛选：主机、stage:连接中、reason:、-direct、&gt;1MB、age&gt;30s</translation>
    </message>
    <message>
        <source>Finds every code on every display</source>
        <translation>识别所有屏幕上的二维码</translation>
    </message>
    <message>
        <source>Finished</source>
        <translation>已完成</translation>
    </message>
    <message>
        <source>First byte</source>
        <translation>首字节</translation>
    </message>
    <message>
        <source>First byte after {time}</source>
        <translation>{time} 后收到首字节</translation>
    </message>
    <message>
        <source>First byte back</source>
        <translation>首字节返回</translation>
    </message>
    <message>
        <source>First bytes sent</source>
        <translation>首包已发送</translation>
    </message>
    <message>
        <source>Follow</source>
        <translation>跟随</translation>
    </message>
    <message>
        <source>For calls, games and QUIC. Plugins carry TCP only.</source>
        <translation>用于通话、游戏和 QUIC。插件只转发 TCP。</translation>
    </message>
    <message>
        <source>For lists of address ranges, in Rules mode: this network's DNS then hears the names.</source>
        <translation>用于规则模式下的地址段列表；当前网络的 DNS 会因此得知域名。</translation>
    </message>
    <message>
        <source>For now everything goes directly.</source>
        <translation>目前一切都直连。</translation>
    </message>
    <message>
        <source>For other devices · {address}</source>
        <translation>供其他设备使用 · {address}</translation>
    </message>
    <message>
        <source>For servers that offer nothing else.</source>
        <translation>仅用于别无选择的服务器。</translation>
    </message>
    <message>
        <source>For this computer</source>
        <translation>供本机使用</translation>
    </message>
    <message>
        <source>For {time} now.</source>
        <translation>已持续 {time}。</translation>
    </message>
    <message>
        <source>For {time}.</source>
        <translation>历时 {time}。</translation>
    </message>
    <message>
        <source>Free software under the Apache License 2.0</source>
        <translation>以 Apache License 2.0 发布的自由软件</translation>
    </message>
    <message>
        <source>From an address…</source>
        <translation>来自网址…</translation>
    </message>
    <message>
        <source>From the first byte sent up to the first byte back</source>
        <translation>从发出第一个字节到收到第一个字节</translation>
    </message>
    <message>
        <source>From {count} other addresses too.</source>
        <translation>另有 {count} 个地址也是如此。</translation>
    </message>
    <message>
        <source>General</source>
        <translation>通用</translation>
    </message>
    <message>
        <source>Global</source>
        <translation>全局</translation>
    </message>
    <message>
        <source>Global: everything</source>
        <translation>全局：所有流量</translation>
    </message>
    <message>
        <source>Go direct for 15 minutes</source>
        <translation>直连 15 分钟</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Go to rule</source>
        <translation>转到规则</translation>
    </message>
    <message>
        <source>Gone from list</source>
        <translation>已从订阅中消失</translation>
    </message>
    <message>
        <source>Good</source>
        <translation>正常</translation>
    </message>
    <message>
        <source>Greeting</source>
        <translation>问候</translation>
    </message>
    <message>
        <source>Group</source>
        <translation>分组</translation>
    </message>
    <message>
        <source>Groups</source>
        <translation>分组</translation>
    </message>
    <message>
        <source>Groups of geosite</source>
        <translation>geosite 分组</translation>
    </message>
    <message>
        <source>Groups of geosite…</source>
        <translation>geosite 分组…</translation>
    </message>
    <message>
        <source>Group…</source>
        <translation>分组…</translation>
    </message>
    <message>
        <source>HAR…</source>
        <translation>HAR…</translation>
    </message>
    <message>
        <source>Handshake</source>
        <translation>握手</translation>
    </message>
    <message>
        <source>Handshake timeout</source>
        <translation>握手超时</translation>
    </message>
    <message>
        <source>Health</source>
        <translation>健康状况</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>帮助</translation>
    </message>
    <message>
        <source>Hide details</source>
        <translation>隐藏详情</translation>
    </message>
    <message>
        <source>Hide names and addresses</source>
        <translation>隐藏名称和地址</translation>
    </message>
    <message>
        <source>Hide the password</source>
        <translation>隐藏密码</translation>
    </message>
    <message>
        <source>History</source>
        <translation>历史记录</translation>
    </message>
    <message>
        <source>History cleared</source>
        <translation>历史记录已清除</translation>
    </message>
    <message>
        <source>History until now</source>
        <translation>已有的历史记录</translation>
    </message>
    <message>
        <source>Hits today</source>
        <translation>今日命中</translation>
    </message>
    <message>
        <source>How far back</source>
        <translation>时间范围</translation>
    </message>
    <message>
        <source>IPv6</source>
        <translation>IPv6</translation>
    </message>
    <message>
        <source>IPv6 directly</source>
        <translation>IPv6 直连</translation>
    </message>
    <message>
        <source>Idle timeout</source>
        <translation>空闲超时</translation>
    </message>
    <message>
        <source>Import from another app</source>
        <translation>从其他应用导入</translation>
    </message>
    <message>
        <source>Import from another app…</source>
        <translation>从其他应用导入…</translation>
    </message>
    <message>
        <source>In PAC mode: {route}</source>
        <translation>PAC 模式下：{route}</translation>
    </message>
    <message>
        <source>In Rules mode: {route}</source>
        <translation>规则模式下：{route}</translation>
    </message>
    <message>
        <source>In use</source>
        <translation>使用中</translation>
    </message>
    <message>
        <source>In your list already</source>
        <translation>列表中已有</translation>
    </message>
    <message>
        <source>Inbound</source>
        <translation>入站</translation>
    </message>
    <message>
        <source>Info</source>
        <translation>信息</translation>
    </message>
    <message>
        <source>Insecure method</source>
        <translation>不安全的加密方式</translation>
    </message>
    <message>
        <source>Insert an example</source>
        <translation>插入示例</translation>
    </message>
    <message>
        <source>Is it running, and is the port right?</source>
        <translation>它是否在运行，端口是否正确？</translation>
    </message>
    <message>
        <source>Is it up, and is its port open?</source>
        <translation>它是否在线，端口是否开放？</translation>
    </message>
    <message>
        <source>It came with the command. Nothing is saved, and the system proxy is not touched until you choose.</source>
        <translation>它来自命令行。不会保存任何内容；在您选择模式之前不改动系统代理。</translation>
    </message>
    <message>
        <source>It differs from the server's</source>
        <translation>与服务器的时钟不一致</translation>
    </message>
    <message>
        <source>It does not have the key of these passwords any more. Type them again.</source>
        <translation>其中已没有这些密码的密钥，请重新输入密码。</translation>
    </message>
    <message>
        <source>It ended in the middle, after {size}: on the way, or at the server.</source>
        <translation>在传输 {size} 后中途断开：问题在途中或服务器。</translation>
    </message>
    <message>
        <source>It failed after {time}.</source>
        <translation>失败前用时 {time}。</translation>
    </message>
    <message>
        <source>It had {time}.</source>
        <translation>等待了 {time}。</translation>
    </message>
    <message>
        <source>It is locked, or did not want to.</source>
        <translation>它被锁定，或拒绝了请求。</translation>
    </message>
    <message>
        <source>It is not allowed.</source>
        <translation>不允许此连接。</translation>
    </message>
    <message>
        <source>It is off in the settings: calls and QUIC fail, or go past the server.</source>
        <translation>设置中已关闭：通话和 QUIC 会失败，或绕过服务器。</translation>
    </message>
    <message>
        <source>It is open, perhaps for later.</source>
        <translation>连接保持打开，也许稍后会用到。</translation>
    </message>
    <message>
        <source>It is overwritten on the disk, not only hidden.</source>
        <translation>会在磁盘上覆写，而不只是隐藏。</translation>
    </message>
    <message>
        <source>It is started again after a pause.</source>
        <translation>稍后会自动重新启动。</translation>
    </message>
    <message>
        <source>It led to port {port} here, where nobody listens.</source>
        <translation>它指向本机的 {port} 端口，而那里没有程序在监听。</translation>
    </message>
    <message>
        <source>It must be like http://example.com/path.</source>
        <translation>格式应为 http://example.com/path。</translation>
    </message>
    <message>
        <source>It must be like socks5://127.0.0.1:9050 or http://name:password@host:port.</source>
        <translation>格式须如 socks5://127.0.0.1:9050 或 http://name:password@host:port。</translation>
    </message>
    <message>
        <source>It said last: {words}</source>
        <translation>它最后的输出：{words}</translation>
    </message>
    <message>
        <source>It took our bytes ({count} connections). The server, its options or the password may be wrong.</source>
        <translation>它收下了数据（{count} 个连接）。服务器、插件选项或密码可能有误。</translation>
    </message>
    <message>
        <source>It was ended because nothing moved.</source>
        <translation>因长时间没有数据而结束。</translation>
    </message>
    <message>
        <source>It was never known where to</source>
        <translation>始终不知道去向</translation>
    </message>
    <message>
        <source>It was refused. Somebody may have recorded what {client} sent.</source>
        <translation>已拒绝。可能有人录下了 {client} 发送的数据。</translation>
    </message>
    <message>
        <source>It was refused. Somebody on the way may have recorded it.</source>
        <translation>已拒绝。途中可能有人录下了它。</translation>
    </message>
    <message>
        <source>Its answer cannot be opened with password and method.</source>
        <translation>它的应答无法用此密码和加密方式解开。</translation>
    </message>
    <message>
        <source>Its details are not complete.</source>
        <translation>它的信息还不完整。</translation>
    </message>
    <message>
        <source>Its icon is in the panel. Quit from the icon's menu.</source>
        <translation>图标在面板中，可从图标菜单退出。</translation>
    </message>
    <message>
        <source>Its method is not supported, or old and not allowed</source>
        <translation>加密方式不受支持，或已过时且未被允许</translation>
    </message>
    <message>
        <source>Its password is missing</source>
        <translation>缺少密码</translation>
    </message>
    <message>
        <source>Its password is sealed, and the system's keyring has not given the key</source>
        <translation>密码已加密保存，系统钥匙串还没有给出密钥</translation>
    </message>
    <message>
        <source>Its plugin took our bytes, and not one came back for {count} connections</source>
        <translation>插件收下了数据，但 {count} 个连接都没有收到任何回应</translation>
    </message>
    <message>
        <source>Its plugin waits for your yes</source>
        <translation>它的插件正等待你的许可</translation>
    </message>
    <message>
        <source>Its row under Closed says why.</source>
        <translation>“已关闭”中的那一行写明了原因。</translation>
    </message>
    <message>
        <source>JSON…</source>
        <translation>JSON…</translation>
    </message>
    <message>
        <source>Keep a history</source>
        <translation>保留历史记录</translation>
    </message>
    <message>
        <source>Keep {port}</source>
        <translation>保留 {port}</translation>
    </message>
    <message>
        <source>Kept for {count} days</source>
        <translation>保留 {count} 天</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>语言</translation>
    </message>
    <message>
        <source>Last</source>
        <translation>最近一次</translation>
    </message>
    <message>
        <source>Last 30 days</source>
        <translation>最近 30 天</translation>
    </message>
    <message>
        <source>Last 7 days</source>
        <translation>最近 7 天</translation>
    </message>
    <message>
        <source>Last result</source>
        <translation>最近结果</translation>
    </message>
    <message>
        <source>Lasted</source>
        <translation>时长</translation>
    </message>
    <message>
        <source>Latency</source>
        <translation>延迟</translation>
    </message>
    <message>
        <source>Leak check</source>
        <translation>泄漏检查</translation>
    </message>
    <message>
        <source>Leak check…</source>
        <translation>泄漏检查…</translation>
    </message>
    <message>
        <source>Leaks</source>
        <translation>存在泄漏</translation>
    </message>
    <message>
        <source>Leave out</source>
        <translation>不记录</translation>
    </message>
    <message>
        <source>Leave the system proxy alone</source>
        <translation>不改动系统代理</translation>
    </message>
    <message>
        <source>Let apps from the store use the proxy</source>
        <translation>允许应用商店的应用使用代理</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Lines that are not understood…</source>
        <translation>无法理解的行…</translation>
    </message>
    <message>
        <source>Link</source>
        <translation>链接</translation>
    </message>
    <message>
        <source>Links, one a line (*.txt)</source>
        <translation>链接，每行一个 (*.txt)</translation>
    </message>
    <message>
        <source>List</source>
        <translation>列表</translation>
    </message>
    <message>
        <source>Listening</source>
        <translation>正在监听</translation>
    </message>
    <message>
        <source>Lists</source>
        <translation>列表</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>日志</translation>
    </message>
    <message>
        <source>Log lines</source>
        <translation>日志行</translation>
    </message>
    <message>
        <source>Logs</source>
        <translation>日志</translation>
    </message>
    <message>
        <source>Look for new versions</source>
        <translation>检查新版本</translation>
    </message>
    <message>
        <source>Look names up to judge them by address</source>
        <translation>解析域名以便按地址判断</translation>
    </message>
    <message>
        <source>May leak</source>
        <translation>可能泄漏</translation>
    </message>
    <message>
        <source>Median latency</source>
        <translation>延迟中位数</translation>
    </message>
    <message>
        <source>Megabytes at most</source>
        <translation>最多占用（MB）</translation>
    </message>
    <message>
        <source>Method</source>
        <translation>加密方式</translation>
    </message>
    <message>
        <source>Mode at start</source>
        <translation>启动时的模式</translation>
    </message>
    <message>
        <source>More</source>
        <translation>更多</translation>
    </message>
    <message>
        <source>My rules</source>
        <translation>我的规则</translation>
    </message>
    <message>
        <source>My servers</source>
        <translation>我的服务器</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Name or service not known</source>
        <translation>名称或服务未知</translation>
    </message>
    <message>
        <source>Names</source>
        <translation>域名</translation>
    </message>
    <message>
        <source>Names from domain-list-community, such as: openai, docker, telegram</source>
        <translation>domain-list-community 中的名称，例如：openai, docker, telegram</translation>
    </message>
    <message>
        <source>Names that no rule sends to the server are looked up here, and go directly.</source>
        <translation>没有规则匹配的域名在本地解析并直连。</translation>
    </message>
    <message>
        <source>Network</source>
        <translation>网络</translation>
    </message>
    <message>
        <source>Network is unreachable</source>
        <translation>网络不可达</translation>
    </message>
    <message>
        <source>Network lost</source>
        <translation>网络中断</translation>
    </message>
    <message>
        <source>Never in it: passwords, links, addresses of subscriptions, and where connections went.</source>
        <translation>其中绝不包含：密码、链接、订阅地址，以及连接的去向。</translation>
    </message>
    <message>
        <source>Never through it</source>
        <translation>始终不走代理</translation>
    </message>
    <message>
        <source>New address</source>
        <translation>新地址</translation>
    </message>
    <message>
        <source>New connections do not go through a server.</source>
        <translation>新连接不经过服务器。</translation>
    </message>
    <message>
        <source>No QR code in this picture.</source>
        <translation>这张图片里没有二维码。</translation>
    </message>
    <message>
        <source>No QR code on any screen.</source>
        <translation>屏幕上没有二维码。</translation>
    </message>
    <message>
        <source>No answer</source>
        <translation>没有回应</translation>
    </message>
    <message>
        <source>No answer came back: calls and QUIC may go past the server.</source>
        <translation>没有收到应答：通话和 QUIC 可能绕过服务器。</translation>
    </message>
    <message>
        <source>No byte came back.</source>
        <translation>没有收到任何数据。</translation>
    </message>
    <message>
        <source>No byte has come back yet.</source>
        <translation>还没有收到任何数据。</translation>
    </message>
    <message>
        <source>No connections yet.</source>
        <translation>还没有连接。</translation>
    </message>
    <message>
        <source>No history is kept.</source>
        <translation>未保留历史记录。</translation>
    </message>
    <message>
        <source>No keyring runs here. GNOME Keyring or KWallet would be one.</source>
        <translation>没有运行中的钥匙串，例如 GNOME Keyring 或 KWallet。</translation>
    </message>
    <message>
        <source>No route to host</source>
        <translation>没有到主机的路由</translation>
    </message>
    <message>
        <source>No rules of your own.</source>
        <translation>还没有自定义规则。</translation>
    </message>
    <message>
        <source>No server in it.</source>
        <translation>其中没有服务器。</translation>
    </message>
    <message>
        <source>No server yet</source>
        <translation>还没有服务器</translation>
    </message>
    <message>
        <source>No server yet?</source>
        <translation>还没有服务器？</translation>
    </message>
    <message>
        <source>No space left on device</source>
        <translation>磁盘空间不足</translation>
    </message>
    <message>
        <source>No such file or directory</source>
        <translation>文件或目录不存在</translation>
    </message>
    <message>
        <source>Nobody has fetched it yet</source>
        <translation>还没有程序取过</translation>
    </message>
    <message>
        <source>None</source>
        <translation>无</translation>
    </message>
    <message>
        <source>Not begun</source>
        <translation>尚未开始</translation>
    </message>
    <message>
        <source>Not fetched yet</source>
        <translation>尚未获取</translation>
    </message>
    <message>
        <source>Not known yet where to</source>
        <translation>尚不知道去向</translation>
    </message>
    <message>
        <source>Not listening</source>
        <translation>未监听</translation>
    </message>
    <message>
        <source>Not one byte came back ({count} connections).</source>
        <translation>没有收到任何数据（{count} 个连接）。</translation>
    </message>
    <message>
        <source>Not saved yet</source>
        <translation>尚未保存</translation>
    </message>
    <message>
        <source>Not tested</source>
        <translation>未测试</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>备注</translation>
    </message>
    <message>
        <source>Nothing about connections is written to the disk.</source>
        <translation>连接的任何信息都不会写入磁盘。</translation>
    </message>
    <message>
        <source>Nothing arrives at the server any more.</source>
        <translation>数据已无法到达服务器。</translation>
    </message>
    <message>
        <source>Nothing at this level.</source>
        <translation>此级别没有日志。</translation>
    </message>
    <message>
        <source>Nothing comes back through the plugin {name}.</source>
        <translation>经插件 {name} 没有任何数据返回。</translation>
    </message>
    <message>
        <source>Nothing has ended yet.</source>
        <translation>还没有结束的连接。</translation>
    </message>
    <message>
        <source>Nothing has moved for {time}.</source>
        <translation>没有数据已 {time}。</translation>
    </message>
    <message>
        <source>Nothing has moved for {time}. It ends by itself.</source>
        <translation>没有数据已 {time}，连接会自行结束。</translation>
    </message>
    <message>
        <source>Nothing is kept</source>
        <translation>未保留</translation>
    </message>
    <message>
        <source>Nothing is sent to the proxy by itself</source>
        <translation>不会自动把流量送往代理</translation>
    </message>
    <message>
        <source>Nothing listens</source>
        <translation>没有端口在监听</translation>
    </message>
    <message>
        <source>Nothing matches this filter.</source>
        <translation>没有匹配的连接。</translation>
    </message>
    <message>
        <source>Nothing matches.</source>
        <translation>没有匹配项。</translation>
    </message>
    <message>
        <source>Nothing new goes through {server}</source>
        <translation>新连接不再经过 {server}</translation>
    </message>
    <message>
        <source>Nothing on the clipboard.</source>
        <translation>剪贴板是空的。</translation>
    </message>
    <message>
        <source>Nothing received</source>
        <translation>没有收到数据</translation>
    </message>
    <message>
        <source>Nothing sent</source>
        <translation>没有发送数据</translation>
    </message>
    <message>
        <source>Now it is off.</source>
        <translation>现在已关闭。</translation>
    </message>
    <message>
        <source>Now {place}.</source>
        <translation>现在是 {place}。</translation>
    </message>
    <message>
        <source>Of connections that brought 256 KiB or more, while bytes came.</source>
        <translation>取自下载 256 KiB 以上的连接，只计有数据到达的时间。</translation>
    </message>
    <message>
        <source>Of connections that have ended: when, which program and server, how much, and how it ended.</source>
        <translation>针对已结束的连接：时间、程序、服务器、流量和结果。</translation>
    </message>
    <message>
        <source>Of the last tests and connections.</source>
        <translation>取自最近的测试和连接。</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>On</source>
        <translation>开启</translation>
    </message>
    <message>
        <source>One file to show to somebody who helps: version, system, settings, the state of each server, how connections ended, and the log.</source>
        <translation>一个可以交给协助者的文件：版本、系统、设置、每个服务器的状态、连接如何结束，以及日志。</translation>
    </message>
    <message>
        <source>One ss:// link, or many</source>
        <translation>一个或多个 ss:// 链接</translation>
    </message>
    <message>
        <source>Online configuration, SIP008 (*.json)</source>
        <translation>在线配置 SIP008 (*.json)</translation>
    </message>
    <message>
        <source>Only programs on this computer reach it.</source>
        <translation>只有这台电脑上的程序能连到它。</translation>
    </message>
    <message>
        <source>Only programs on this computer use the proxy.</source>
        <translation>只有这台电脑上的程序使用此代理。</translation>
    </message>
    <message>
        <source>Only where there is a tray to find it in.</source>
        <translation>仅在有托盘图标时生效。</translation>
    </message>
    <message>
        <source>Open an image or a file</source>
        <translation>打开图片或文件</translation>
    </message>
    <message>
        <source>Open an image or a file…</source>
        <translation>打开图片或文件…</translation>
    </message>
    <message>
        <source>Open any website that goes through the proxy.</source>
        <translation>打开任意经过代理的网站即可看到。</translation>
    </message>
    <message>
        <source>Open settings</source>
        <translation>打开设置</translation>
    </message>
    <message>
        <source>Open ss:// links with ssgui</source>
        <translation>用 ssgui 打开 ss:// 链接</translation>
    </message>
    <message>
        <source>Open ssgui</source>
        <translation>打开 ssgui</translation>
    </message>
    <message>
        <source>Or drop it anywhere on this window</source>
        <translation>也可以拖放到此窗口</translation>
    </message>
    <message>
        <source>Other devices can use the proxy with the name and password below.</source>
        <translation>其他设备可以用下面的用户名和密码使用此代理。</translation>
    </message>
    <message>
        <source>Other devices reach it with the name and the password.</source>
        <translation>其他设备须凭用户名和密码才能使用。</translation>
    </message>
    <message>
        <source>Other devices that use it then need the new one.</source>
        <translation>正在使用它的其他设备需要换成新地址。</translation>
    </message>
    <message>
        <source>Other programs</source>
        <translation>其他程序</translation>
    </message>
    <message>
        <source>Over time</source>
        <translation>随时间</translation>
    </message>
    <message>
        <source>PAC</source>
        <translation>PAC</translation>
    </message>
    <message>
        <source>PAC in use</source>
        <translation>正在使用的 PAC</translation>
    </message>
    <message>
        <source>PAC, Rules and Global then only say where ssgui sends what comes to it.</source>
        <translation>此时 PAC、规则和全局只决定 ssgui 把收到的流量送往哪里。</translation>
    </message>
    <message>
        <source>PAC: listed sites</source>
        <translation>PAC：列表中的网站</translation>
    </message>
    <message>
        <source>Page for tests</source>
        <translation>测试页面</translation>
    </message>
    <message>
        <source>Parts</source>
        <translation>各部分</translation>
    </message>
    <message>
        <source>Password</source>
        <translation>密码</translation>
    </message>
    <message>
        <source>Password for others</source>
        <translation>供其他设备使用的密码</translation>
    </message>
    <message>
        <source>Password is missing</source>
        <translation>缺少密码</translation>
    </message>
    <message>
        <source>Passwords typed now are not kept.</source>
        <translation>现在输入的密码不会保存。</translation>
    </message>
    <message>
        <source>Paste a link</source>
        <translation>粘贴链接</translation>
    </message>
    <message>
        <source>Paste links</source>
        <translation>粘贴链接</translation>
    </message>
    <message>
        <source>Path</source>
        <translation>路径</translation>
    </message>
    <message>
        <source>Pause the picture</source>
        <translation>暂停刷新</translation>
    </message>
    <message>
        <source>Paused · {count} newer</source>
        <translation>已暂停 · {count} 个新连接</translation>
    </message>
    <message>
        <source>Peak {rate}</source>
        <translation>峰值 {rate}</translation>
    </message>
    <message>
        <source>Permission denied</source>
        <translation>没有权限</translation>
    </message>
    <message>
        <source>Plugin</source>
        <translation>插件</translation>
    </message>
    <message>
        <source>Plugin arguments</source>
        <translation>插件参数</translation>
    </message>
    <message>
        <source>Plugin closed</source>
        <translation>插件已关闭</translation>
    </message>
    <message>
        <source>Plugin options</source>
        <translation>插件选项</translation>
    </message>
    <message>
        <source>Port</source>
        <translation>端口</translation>
    </message>
    <message>
        <source>Port must be 1–65535.</source>
        <translation>端口须为 1–65535。</translation>
    </message>
    <message>
        <source>Port {port} is reserved by the system.</source>
        <translation>端口 {port} 被系统保留。</translation>
    </message>
    <message>
        <source>Port {port} is taken by “{owner}”.</source>
        <translation>{port} 端口被“{owner}”占用。</translation>
    </message>
    <message>
        <source>Prefer IPv6 on the way to the server</source>
        <translation>优先用 IPv6 连接服务器</translation>
    </message>
    <message>
        <source>Privacy and logs</source>
        <translation>隐私与日志</translation>
    </message>
    <message>
        <source>Private addresses and names of this network are always direct.</source>
        <translation>私有地址和本网络内的名称始终直连。</translation>
    </message>
    <message>
        <source>Program</source>
        <translation>程序</translation>
    </message>
    <message>
        <source>Program not reading</source>
        <translation>程序未读取</translation>
    </message>
    <message>
        <source>Programs</source>
        <translation>程序</translation>
    </message>
    <message>
        <source>Programs find the proxy here: SOCKS and HTTP.</source>
        <translation>程序通过此端口使用代理：SOCKS 和 HTTP。</translation>
    </message>
    <message>
        <source>Programs that name only the host: {route}</source>
        <translation>只说主机名的程序：{route}</translation>
    </message>
    <message>
        <source>Protect passwords with the system's keyring</source>
        <translation>用系统钥匙串保护密码</translation>
    </message>
    <message>
        <source>Proxy command</source>
        <translation>代理命令</translation>
    </message>
    <message>
        <source>Proxy mode</source>
        <translation>代理模式</translation>
    </message>
    <message>
        <source>Proxy on the way to the servers</source>
        <translation>通往服务器的前置代理</translation>
    </message>
    <message>
        <source>QR code of the link</source>
        <translation>链接的二维码</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>退出</translation>
    </message>
    <message>
        <source>Read-only file system</source>
        <translation>文件系统只读</translation>
    </message>
    <message>
        <source>Reading the client</source>
        <translation>读取客户端</translation>
    </message>
    <message>
        <source>Reading the program</source>
        <translation>读取程序</translation>
    </message>
    <message>
        <source>Reading the server</source>
        <translation>读取服务器</translation>
    </message>
    <message>
        <source>Reading the target</source>
        <translation>读取目标</translation>
    </message>
    <message>
        <source>Ready</source>
        <translation>就绪</translation>
    </message>
    <message>
        <source>Ready for datagrams</source>
        <translation>可以收发数据报</translation>
    </message>
    <message>
        <source>Real connections: half took up to {middle}, 95 % up to {most}.</source>
        <translation>实际连接：一半不超过 {middle}，95 % 不超过 {most}。</translation>
    </message>
    <message>
        <source>Reason</source>
        <translation>原因</translation>
    </message>
    <message>
        <source>Refresh</source>
        <translation>刷新</translation>
    </message>
    <message>
        <source>Refresh without the proxy</source>
        <translation>不经代理刷新</translation>
    </message>
    <message>
        <source>Refused</source>
        <translation>被拒绝</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Remove subscription</source>
        <translation>移除订阅</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>重命名</translation>
    </message>
    <message>
        <source>Rename a group</source>
        <translation>重命名分组</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>重命名…</translation>
    </message>
    <message>
        <source>Replay refused</source>
        <translation>疑似重放</translation>
    </message>
    <message>
        <source>Request</source>
        <translation>请求</translation>
    </message>
    <message>
        <source>Requests</source>
        <translation>请求数</translation>
    </message>
    <message>
        <source>Reset columns</source>
        <translation>恢复默认列</translation>
    </message>
    <message>
        <source>Reset connections to {host}</source>
        <translation>重置到 {host} 的连接</translation>
    </message>
    <message>
        <source>Resolve server</source>
        <translation>解析服务器</translation>
    </message>
    <message>
        <source>Resolve target</source>
        <translation>解析目标</translation>
    </message>
    <message>
        <source>Resolving</source>
        <translation>解析</translation>
    </message>
    <message>
        <source>Resolving the server</source>
        <translation>解析服务器</translation>
    </message>
    <message>
        <source>Resolving the target</source>
        <translation>解析目标</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>恢复</translation>
    </message>
    <message>
        <source>Resume · {state}</source>
        <translation>恢复 · {state}</translation>
    </message>
    <message>
        <source>Resumes by itself when there is a network.</source>
        <translation>网络恢复后自动继续。</translation>
    </message>
    <message>
        <source>Revert</source>
        <translation>还原</translation>
    </message>
    <message>
        <source>Rule</source>
        <translation>规则</translation>
    </message>
    <message>
        <source>Rules</source>
        <translation>规则</translation>
    </message>
    <message>
        <source>Rules and PAC</source>
        <translation>规则与 PAC</translation>
    </message>
    <message>
        <source>Rules: every program</source>
        <translation>规则：所有程序</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Save a diagnosis</source>
        <translation>保存诊断信息</translation>
    </message>
    <message>
        <source>Save a diagnosis…</source>
        <translation>保存诊断信息…</translation>
    </message>
    <message>
        <source>Save as a picture</source>
        <translation>保存为图片</translation>
    </message>
    <message>
        <source>Save as a picture…</source>
        <translation>保存为图片…</translation>
    </message>
    <message>
        <source>Save or revert your changes first.</source>
        <translation>请先保存或还原你的修改。</translation>
    </message>
    <message>
        <source>Save the log</source>
        <translation>保存日志</translation>
    </message>
    <message>
        <source>Save…</source>
        <translation>保存…</translation>
    </message>
    <message>
        <source>Scan a QR code on screen</source>
        <translation>扫描屏幕上的二维码</translation>
    </message>
    <message>
        <source>Search servers</source>
        <translation>搜索服务器</translation>
    </message>
    <message>
        <source>Search the history</source>
        <translation>搜索历史记录</translation>
    </message>
    <message>
        <source>Select all</source>
        <translation>全选</translation>
    </message>
    <message>
        <source>Select none</source>
        <translation>全不选</translation>
    </message>
    <message>
        <source>Send a test request</source>
        <translation>发送测试请求</translation>
    </message>
    <message>
        <source>Send it directly</source>
        <translation>改为直连</translation>
    </message>
    <message>
        <source>Send it through the proxy</source>
        <translation>改为走代理</translation>
    </message>
    <message>
        <source>Server</source>
        <translation>服务器</translation>
    </message>
    <message>
        <source>Server reset</source>
        <translation>服务器重置</translation>
    </message>
    <message>
        <source>Server takes no more</source>
        <translation>服务器暂不接收</translation>
    </message>
    <message>
        <source>Servers</source>
        <translation>服务器</translation>
    </message>
    <message>
        <source>Servers are called “Server 1”, “Server 2”. Without it a log of every connection tells the sites.</source>
        <translation>服务器只写作“Server 1”“Server 2”。关闭后，记录每个连接的日志会透露访问过的网站。</translation>
    </message>
    <message>
        <source>Setting the system proxy…</source>
        <translation>正在设置系统代理…</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Settings and log without passwords, to show to somebody.</source>
        <translation>不含密码的设置和日志，可以给别人看。</translation>
    </message>
    <message>
        <source>Settings need a look.</source>
        <translation>设置需要留意。</translation>
    </message>
    <message>
        <source>Settings…</source>
        <translation>设置…</translation>
    </message>
    <message>
        <source>Share</source>
        <translation>分享</translation>
    </message>
    <message>
        <source>Share a server</source>
        <translation>分享服务器</translation>
    </message>
    <message>
        <source>Share with local network</source>
        <translation>与本地网络共享</translation>
    </message>
    <message>
        <source>Share with your network</source>
        <translation>与你的网络共享</translation>
    </message>
    <message>
        <source>Shared with your network</source>
        <translation>已与你的网络共享</translation>
    </message>
    <message>
        <source>Show all</source>
        <translation>显示全部</translation>
    </message>
    <message>
        <source>Show all levels</source>
        <translation>显示所有级别</translation>
    </message>
    <message>
        <source>Show it</source>
        <translation>查看</translation>
    </message>
    <message>
        <source>Show its connections</source>
        <translation>显示其连接</translation>
    </message>
    <message>
        <source>Show program</source>
        <translation>定位程序</translation>
    </message>
    <message>
        <source>Show the lists</source>
        <translation>查看列表</translation>
    </message>
    <message>
        <source>Show the log</source>
        <translation>显示日志</translation>
    </message>
    <message>
        <source>Show the password</source>
        <translation>显示密码</translation>
    </message>
    <message>
        <source>Show these: {filter}</source>
        <translation>只看这些：{filter}</translation>
    </message>
    <message>
        <source>Shut down</source>
        <translation>已停止</translation>
    </message>
    <message>
        <source>Site</source>
        <translation>站点</translation>
    </message>
    <message>
        <source>Sites</source>
        <translation>站点</translation>
    </message>
    <message>
        <source>Sites are left out.</source>
        <translation>未记录站点。</translation>
    </message>
    <message>
        <source>Sites in the history</source>
        <translation>历史记录中的站点</translation>
    </message>
    <message>
        <source>So far</source>
        <translation>目前为止</translation>
    </message>
    <message>
        <source>Some networks drop such packets; it then turns itself off.</source>
        <translation>有些网络会丢弃这类数据包，届时会自动关闭。</translation>
    </message>
    <message>
        <source>Somebody came who does not know the key.</source>
        <translation>有来访者不知道密钥。</translation>
    </message>
    <message>
        <source>Something failed.</source>
        <translation>出错了。</translation>
    </message>
    <message>
        <source>Stage</source>
        <translation>阶段</translation>
    </message>
    <message>
        <source>Stages</source>
        <translation>阶段</translation>
    </message>
    <message>
        <source>Start at login</source>
        <translation>登录时启动</translation>
    </message>
    <message>
        <source>Start at login could not be changed.</source>
        <translation>登录时启动的设置没有更改。</translation>
    </message>
    <message>
        <source>Start it again</source>
        <translation>重新启动</translation>
    </message>
    <message>
        <source>Start without a window</source>
        <translation>启动时不显示窗口</translation>
    </message>
    <message>
        <source>Started</source>
        <translation>开始于</translation>
    </message>
    <message>
        <source>Stop · {count} left</source>
        <translation>停止 · 剩余 {count}</translation>
    </message>
    <message>
        <source>Streaming</source>
        <translation>传输</translation>
    </message>
    <message>
        <source>Streams</source>
        <translation>数据流</translation>
    </message>
    <message>
        <source>Succeeded</source>
        <translation>成功率</translation>
    </message>
    <message>
        <source>System proxy</source>
        <translation>系统代理</translation>
    </message>
    <message>
        <source>System proxy changed by another program.</source>
        <translation>系统代理被其他程序修改。</translation>
    </message>
    <message>
        <source>System proxy is back to what it was</source>
        <translation>系统代理已恢复原样</translation>
    </message>
    <message>
        <source>TCP Fast Open</source>
        <translation>TCP Fast Open</translation>
    </message>
    <message>
        <source>Take back</source>
        <translation>改回</translation>
    </message>
    <message>
        <source>Target</source>
        <translation>目标</translation>
    </message>
    <message>
        <source>Target takes no more</source>
        <translation>目标暂不接收</translation>
    </message>
    <message>
        <source>Tells the programs of one terminal of the proxy.</source>
        <translation>让一个终端里的程序使用代理。</translation>
    </message>
    <message>
        <source>Temporary failure in name resolution</source>
        <translation>域名解析暂时失败</translation>
    </message>
    <message>
        <source>Test</source>
        <translation>测试</translation>
    </message>
    <message>
        <source>Test all</source>
        <translation>全部测试</translation>
    </message>
    <message>
        <source>Test server</source>
        <translation>测试服务器</translation>
    </message>
    <message>
        <source>Testing…</source>
        <translation>正在测试…</translation>
    </message>
    <message>
        <source>Tests: half took up to {middle}, 95 % up to {most}.</source>
        <translation>测试：一半不超过 {middle}，95 % 不超过 {most}。</translation>
    </message>
    <message>
        <source>The address is missing.</source>
        <translation>缺少地址。</translation>
    </message>
    <message>
        <source>The address waits for the first bytes</source>
        <translation>地址等待首包一起发送</translation>
    </message>
    <message>
        <source>The chosen one only</source>
        <translation>仅使用所选服务器</translation>
    </message>
    <message>
        <source>The client has said all</source>
        <translation>客户端已发送完毕</translation>
    </message>
    <message>
        <source>The client {name} is not reading.</source>
        <translation>客户端 {name} 没有读取数据。</translation>
    </message>
    <message>
        <source>The clock could not be checked: {why}</source>
        <translation>无法检查时钟：{why}</translation>
    </message>
    <message>
        <source>The clock of {client} is off.</source>
        <translation>{client} 的时钟不准。</translation>
    </message>
    <message>
        <source>The demo does not start.</source>
        <translation>演示无法启动。</translation>
    </message>
    <message>
        <source>The demo starts one on this computer and shows real traffic.</source>
        <translation>演示会在这台电脑上启动一个服务器，并显示真实流量。</translation>
    </message>
    <message>
        <source>The fastest 5 s of the last hour.</source>
        <translation>最近一小时内最快的 5 秒。</translation>
    </message>
    <message>
        <source>The first {count} of {total}</source>
        <translation>共 {total} 行，显示前 {count} 行</translation>
    </message>
    <message>
        <source>The history cannot be read.</source>
        <translation>无法读取历史记录。</translation>
    </message>
    <message>
        <source>The history is not kept.</source>
        <translation>历史记录未能保留。</translation>
    </message>
    <message>
        <source>The last byte came {age} ago.</source>
        <translation>最后一次收到数据是 {age}前。</translation>
    </message>
    <message>
        <source>The link and the code hold the password. Whoever has them can use this server.</source>
        <translation>链接和二维码都含有密码，拿到的人都能使用这个服务器。</translation>
    </message>
    <message>
        <source>The log says more: {what}</source>
        <translation>详情见日志：{what}</translation>
    </message>
    <message>
        <source>The mode is Global: everything goes through the server.</source>
        <translation>当前模式为全局：一切都经过服务器。</translation>
    </message>
    <message>
        <source>The mode is Off: nobody asks the rules.</source>
        <translation>当前模式为关闭：没有程序使用规则。</translation>
    </message>
    <message>
        <source>The mode is Off: they go past the server.</source>
        <translation>模式为关闭：它们绕过服务器。</translation>
    </message>
    <message>
        <source>The name is missing.</source>
        <translation>缺少名称。</translation>
    </message>
    <message>
        <source>The name of the server does not resolve.</source>
        <translation>服务器域名无法解析。</translation>
    </message>
    <message>
        <source>The name of the server is still being looked up.</source>
        <translation>仍在解析服务器域名。</translation>
    </message>
    <message>
        <source>The name {host} is still being looked up.</source>
        <translation>仍在解析域名 {host}。</translation>
    </message>
    <message>
        <source>The network went away under it.</source>
        <translation>连接期间网络断开。</translation>
    </message>
    <message>
        <source>The other end has closed its side.</source>
        <translation>对方已关闭其一侧。</translation>
    </message>
    <message>
        <source>The page answered {status} in {time}</source>
        <translation>页面已应答：{status}，用时 {time}</translation>
    </message>
    <message>
        <source>The page that was asked says so.</source>
        <translation>依据是所询问网页的时间。</translation>
    </message>
    <message>
        <source>The password is missing.</source>
        <translation>缺少密码。</translation>
    </message>
    <message>
        <source>The passwords are not protected.</source>
        <translation>密码未受保护。</translation>
    </message>
    <message>
        <source>The path to the server is full.</source>
        <translation>到服务器的线路已满。</translation>
    </message>
    <message>
        <source>The plugin {name} does not run.</source>
        <translation>插件 {name} 没有运行。</translation>
    </message>
    <message>
        <source>The port</source>
        <translation>端口</translation>
    </message>
    <message>
        <source>The program has closed its side.</source>
        <translation>程序已关闭其一侧。</translation>
    </message>
    <message>
        <source>The program has said all</source>
        <translation>程序已发送完毕</translation>
    </message>
    <message>
        <source>The program is not reading.</source>
        <translation>程序没有读取数据。</translation>
    </message>
    <message>
        <source>The program sent nothing</source>
        <translation>程序没有发送数据</translation>
    </message>
    <message>
        <source>The proxy does not listen, or everything goes directly now.</source>
        <translation>代理没有在监听，或者当前全部直连。</translation>
    </message>
    <message>
        <source>The proxy does not listen.</source>
        <translation>代理没有在监听。</translation>
    </message>
    <message>
        <source>The proxy on the way does not work</source>
        <translation>前置代理无法使用</translation>
    </message>
    <message>
        <source>The proxy on the way to the servers cannot carry it</source>
        <translation>前置代理无法承载此服务器</translation>
    </message>
    <message>
        <source>The proxy on the way to the servers does not work.</source>
        <translation>通往服务器的前置代理无法使用。</translation>
    </message>
    <message>
        <source>The request for a name did not arrive.</source>
        <translation>测试域名的请求没有到达。</translation>
    </message>
    <message>
        <source>The screen cannot be read: {why}.</source>
        <translation>无法读取屏幕：{why}。</translation>
    </message>
    <message>
        <source>The server has said all</source>
        <translation>服务器已发送完毕</translation>
    </message>
    <message>
        <source>The server reset it.</source>
        <translation>服务器重置了连接。</translation>
    </message>
    <message>
        <source>The server says so.</source>
        <translation>依据是服务器自己的时间。</translation>
    </message>
    <message>
        <source>The server took our bytes, and not one came back</source>
        <translation>服务器收下了数据，但没有任何回应</translation>
    </message>
    <message>
        <source>The server took our bytes, and not one came back for {count} connections</source>
        <translation>服务器收下了数据，但 {count} 个连接都没有收到任何回应</translation>
    </message>
    <message>
        <source>The server took {size} from {count} connections, and not one byte came back.</source>
        <translation>服务器收下了 {count} 个连接的 {size}，但没有返回任何数据。</translation>
    </message>
    <message>
        <source>The server took {size}, and not one byte came back.</source>
        <translation>服务器收下了 {size}，但没有返回任何数据。</translation>
    </message>
    <message>
        <source>The server's name leads to an address that no server has.</source>
        <translation>服务器域名指向了不可能的地址。</translation>
    </message>
    <message>
        <source>The settings file then holds them sealed.</source>
        <translation>设置文件中的密码随后以加密形式保存。</translation>
    </message>
    <message>
        <source>The stream was cut short.</source>
        <translation>数据流被截断。</translation>
    </message>
    <message>
        <source>The system proxy could not be put back.</source>
        <translation>无法恢复系统代理。</translation>
    </message>
    <message>
        <source>The system proxy could not be set.</source>
        <translation>无法设置系统代理。</translation>
    </message>
    <message>
        <source>The system proxy of before is off.</source>
        <translation>原来的系统代理已关闭。</translation>
    </message>
    <message>
        <source>The system says that its clock is not synchronised.</source>
        <translation>系统表示时钟未同步。</translation>
    </message>
    <message>
        <source>The system's keyring has not given the key.</source>
        <translation>系统钥匙串没有给出密钥。</translation>
    </message>
    <message>
        <source>The system's proxy is not set: they go past the server.</source>
        <translation>系统代理没有设置：它们绕过服务器。</translation>
    </message>
    <message>
        <source>The target has said all</source>
        <translation>目标已发送完毕</translation>
    </message>
    <message>
        <source>The test request did not come back.</source>
        <translation>测试请求没有得到回应。</translation>
    </message>
    <message>
        <source>Then the oldest goes first.</source>
        <translation>超出时先删除最旧的。</translation>
    </message>
    <message>
        <source>There are {count} servers on your clipboard</source>
        <translation>剪贴板里有 {count} 个服务器</translation>
    </message>
    <message>
        <source>There is a server on your clipboard</source>
        <translation>剪贴板里有一个服务器</translation>
    </message>
    <message>
        <source>There is no way from here to {host}.</source>
        <translation>从这里无法到达 {host}。</translation>
    </message>
    <message>
        <source>There is no way from here to {server}.</source>
        <translation>从这里无法到达 {server}。</translation>
    </message>
    <message>
        <source>There was no request yet. Use a browser for a while.</source>
        <translation>还没有请求。先用一会儿浏览器。</translation>
    </message>
    <message>
        <source>This computer has an address of its own there: what ignores the proxy shows it.</source>
        <translation>这台电脑有自己的 IPv6 地址：不走代理的程序会暴露它。</translation>
    </message>
    <message>
        <source>This computer has no address there that others could see.</source>
        <translation>这台电脑没有外界可见的 IPv6 地址。</translation>
    </message>
    <message>
        <source>This computer is offline · Resumes by itself</source>
        <translation>这台电脑已离线 · 恢复后自动继续</translation>
    </message>
    <message>
        <source>This computer is offline.</source>
        <translation>本机已离线。</translation>
    </message>
    <message>
        <source>This computer's clock and the server's do not agree.</source>
        <translation>本机与服务器的时钟不一致。</translation>
    </message>
    <message>
        <source>This computer's clock is off</source>
        <translation>本机时钟不准</translation>
    </message>
    <message>
        <source>This computer's clock is right.</source>
        <translation>本机时钟正确。</translation>
    </message>
    <message>
        <source>This computer's clock is {time} ahead.</source>
        <translation>本机时钟快了 {time}。</translation>
    </message>
    <message>
        <source>This computer's clock is {time} behind.</source>
        <translation>本机时钟慢了 {time}。</translation>
    </message>
    <message>
        <source>This desktop has no setting for a proxy: each program must be told.</source>
        <translation>这个桌面没有代理设置：须逐个告诉程序。</translation>
    </message>
    <message>
        <source>This desktop has no system proxy.</source>
        <translation>这个桌面没有系统代理。</translation>
    </message>
    <message>
        <source>This is no address. Type one like https://example.com/page.</source>
        <translation>这不是网址。请输入类似 https://example.com/page 的网址。</translation>
    </message>
    <message>
        <source>This is no host name or address.</source>
        <translation>这不是有效的主机名或地址。</translation>
    </message>
    <message>
        <source>This is no https address.</source>
        <translation>这不是 https 地址。</translation>
    </message>
    <message>
        <source>This is the demo.</source>
        <translation>这是演示。</translation>
    </message>
    <message>
        <source>This is what new connections will do.</source>
        <translation>新连接会这样走。</translation>
    </message>
    <message>
        <source>This is {version}.</source>
        <translation>当前版本为 {version}。</translation>
    </message>
    <message>
        <source>This method does not protect against changes on the way.</source>
        <translation>此加密方式无法防止数据在途中被篡改。</translation>
    </message>
    <message>
        <source>This server cannot be shared yet.</source>
        <translation>这个服务器还不能分享。</translation>
    </message>
    <message>
        <source>This server wants to start {plugin}.</source>
        <translation>这个服务器要启动 {plugin}。</translation>
    </message>
    <message>
        <source>This system does not tell.</source>
        <translation>系统没有提供这项信息。</translation>
    </message>
    <message>
        <source>Through the proxy</source>
        <translation>走代理</translation>
    </message>
    <message>
        <source>Through the proxy: a site and everything below it</source>
        <translation>走代理：一个网站及其所有子域名</translation>
    </message>
    <message>
        <source>Throughput</source>
        <translation>吞吐量</translation>
    </message>
    <message>
        <source>Throughput, last 60 seconds, peak {peak}</source>
        <translation>最近 60 秒的吞吐量，峰值 {peak}</translation>
    </message>
    <message>
        <source>Time shown: the last {time}</source>
        <translation>显示的时间：最近 {time}</translation>
    </message>
    <message>
        <source>Time shown: {time}, until {age} ago</source>
        <translation>显示的时间：{time}，到 {age}前为止</translation>
    </message>
    <message>
        <source>Time to connect</source>
        <translation>连接耗时</translation>
    </message>
    <message>
        <source>Timed out</source>
        <translation>连接超时</translation>
    </message>
    <message>
        <source>Today</source>
        <translation>今日</translation>
    </message>
    <message>
        <source>Traffic by day, at most {amount}</source>
        <translation>每日流量，最高 {amount}</translation>
    </message>
    <message>
        <source>Traffic today</source>
        <translation>今日流量</translation>
    </message>
    <message>
        <source>Truncated</source>
        <translation>数据截断</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>Try the demo</source>
        <translation>试试演示</translation>
    </message>
    <message>
        <source>Try without the proxy</source>
        <translation>不经代理重试</translation>
    </message>
    <message>
        <source>UDP</source>
        <translation>UDP</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
    <message>
        <source>Unknown</source>
        <translation>未知</translation>
    </message>
    <message>
        <source>Unreachable</source>
        <translation>不可达</translation>
    </message>
    <message>
        <source>Unsaved changes</source>
        <translation>有未保存的更改</translation>
    </message>
    <message>
        <source>Up</source>
        <translation>上行</translation>
    </message>
    <message>
        <source>Up blocked</source>
        <translation>上行受阻</translation>
    </message>
    <message>
        <source>Up flows again</source>
        <translation>上行恢复</translation>
    </message>
    <message>
        <source>Up rate</source>
        <translation>上行速率</translation>
    </message>
    <message>
        <source>Up total</source>
        <translation>上行总量</translation>
    </message>
    <message>
        <source>Up: R and W</source>
        <translation>上行：R 与 W</translation>
    </message>
    <message>
        <source>Up: {what}</source>
        <translation>上行：{what}</translation>
    </message>
    <message>
        <source>Update</source>
        <translation>更新</translation>
    </message>
    <message>
        <source>Update all</source>
        <translation>全部更新</translation>
    </message>
    <message>
        <source>Update failed: {why}</source>
        <translation>更新失败：{why}</translation>
    </message>
    <message>
        <source>Update the lists</source>
        <translation>更新列表</translation>
    </message>
    <message>
        <source>Update without the proxy</source>
        <translation>不经代理更新</translation>
    </message>
    <message>
        <source>Updates</source>
        <translation>更新</translation>
    </message>
    <message>
        <source>Updating…</source>
        <translation>正在更新…</translation>
    </message>
    <message>
        <source>Updating… {percent} %</source>
        <translation>正在更新… {percent} %</translation>
    </message>
    <message>
        <source>Use this server</source>
        <translation>使用此服务器</translation>
    </message>
    <message>
        <source>User</source>
        <translation>用户</translation>
    </message>
    <message>
        <source>User name for others</source>
        <translation>供其他设备使用的用户名</translation>
    </message>
    <message>
        <source>Using {port} for now.</source>
        <translation>暂时使用 {port}。</translation>
    </message>
    <message>
        <source>Version {version} is there.</source>
        <translation>已有新版本 {version}。</translation>
    </message>
    <message>
        <source>Versions</source>
        <translation>版本</translation>
    </message>
    <message>
        <source>Wait</source>
        <translation>等待</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>等待回应</translation>
    </message>
    <message>
        <source>Waiting for network</source>
        <translation>等待网络</translation>
    </message>
    <message>
        <source>Waiting for the first byte</source>
        <translation>等待首字节</translation>
    </message>
    <message>
        <source>Warnings</source>
        <translation>警告</translation>
    </message>
    <message>
        <source>Waterfall</source>
        <translation>时间线</translation>
    </message>
    <message>
        <source>What a link holds is shown before it is added.</source>
        <translation>添加之前会先显示链接的内容。</translation>
    </message>
    <message>
        <source>What answers does not have this key.</source>
        <translation>应答的一方没有这个密钥。</translation>
    </message>
    <message>
        <source>What came back cannot be opened with them</source>
        <translation>收到的数据无法用它们解开</translation>
    </message>
    <message>
        <source>What follows the system's proxy comes here.</source>
        <translation>遵循系统代理的程序都会到这里来。</translation>
    </message>
    <message>
        <source>What no rule knows</source>
        <translation>没有规则的网址</translation>
    </message>
    <message>
        <source>What programs did since the start</source>
        <translation>启动以来各程序的情况</translation>
    </message>
    <message>
        <source>What shows to others</source>
        <translation>对外可见的信息</translation>
    </message>
    <message>
        <source>What store apps may do could not be changed.</source>
        <translation>应用商店应用的权限没有更改。</translation>
    </message>
    <message>
        <source>What was found</source>
        <translation>找到的内容</translation>
    </message>
    <message>
        <source>What went wrong</source>
        <translation>出错的连接</translation>
    </message>
    <message>
        <source>Where connections went is not written down unless you want it.</source>
        <translation>除非你需要，否则不会记录连接的去向。</translation>
    </message>
    <message>
        <source>Where connections went is not written down.</source>
        <translation>不记录连接的去向。</translation>
    </message>
    <message>
        <source>Where does an address go?</source>
        <translation>某个网址怎么走？</translation>
    </message>
    <message>
        <source>Where does an address go? https://…</source>
        <translation>某个网址怎么走？https://…</translation>
    </message>
    <message>
        <source>Who looks names up, what goes past the server, who reaches the port.</source>
        <translation>谁在解析域名，哪些流量绕过服务器，谁能连到端口。</translation>
    </message>
    <message>
        <source>Who opens ss:// links could not be changed.</source>
        <translation>ss:// 链接的打开方式没有更改。</translation>
    </message>
    <message>
        <source>Whoever reads this computer's files sees where you went.</source>
        <translation>能读取这台电脑文件的人会看到你访问过哪里。</translation>
    </message>
    <message>
        <source>Whoever watches this network then sees which provider and lists you use.</source>
        <translation>监视此网络的人会看到你使用的服务商和列表。</translation>
    </message>
    <message>
        <source>Why does it go there?</source>
        <translation>为什么这样走？</translation>
    </message>
    <message>
        <source>Windows denies access to the registry's {key}: {why}</source>
        <translation>Windows 拒绝访问注册表项 {key}：{why}</translation>
    </message>
    <message>
        <source>Windows does not change which apps may connect to this computer: error {number}</source>
        <translation>Windows 没有更改哪些应用可以连接本机：错误 {number}</translation>
    </message>
    <message>
        <source>Windows does not keep ssgui among the programs that start at login</source>
        <translation>Windows 没有把 ssgui 保留在登录时启动的程序中</translation>
    </message>
    <message>
        <source>Windows does not keep ssgui as the program for ss:// links</source>
        <translation>Windows 没有保留 ssgui 作为打开 ss:// 链接的程序</translation>
    </message>
    <message>
        <source>Windows does not let all apps from the store connect to this computer</source>
        <translation>Windows 没有允许全部应用商店应用连接本机</translation>
    </message>
    <message>
        <source>Windows does not list the apps from the store: error {number}</source>
        <translation>Windows 没有列出应用商店的应用：错误 {number}</translation>
    </message>
    <message>
        <source>Windows does not tell which apps may connect to this computer: error {number}</source>
        <translation>Windows 没有告知哪些应用可以连接本机：错误 {number}</translation>
    </message>
    <message>
        <source>Windows keeps them from this computer's own ports. Wants an administrator; again after new apps.</source>
        <translation>Windows 不让它们连接本机端口。需要管理员权限，安装新应用后要再开一次。</translation>
    </message>
    <message>
        <source>With the options {options}</source>
        <translation>选项：{options}</translation>
    </message>
    <message>
        <source>With this method nothing works beyond 30 s: set the clock.</source>
        <translation>此加密方式下误差超过 30 秒就无法使用：请校准时钟。</translation>
    </message>
    <message>
        <source>Works</source>
        <translation>正常</translation>
    </message>
    <message>
        <source>Would also match</source>
        <translation>同样匹配</translation>
    </message>
    <message>
        <source>Wrong key, or a clock that is off?</source>
        <translation>密钥有误，还是时钟不准？</translation>
    </message>
    <message>
        <source>Wrong key, or is the server's clock off?</source>
        <translation>密钥有误，还是服务器时钟不准？</translation>
    </message>
    <message>
        <source>Wrong password or method?</source>
        <translation>密码或加密方式有误？</translation>
    </message>
    <message>
        <source>Your own rules cannot be read.</source>
        <translation>无法读取你的规则。</translation>
    </message>
    <message>
        <source>Your provider gives it to you. Keep it to yourself: it is a password.</source>
        <translation>由服务商提供。请勿外传，它相当于密码。</translation>
    </message>
    <message>
        <source>Your provider gives you a link, a QR code or a file. Any of them will do.</source>
        <translation>服务商会给你链接、二维码或文件，任何一种都可以。</translation>
    </message>
    <message>
        <source>Your rules send it directly.</source>
        <translation>你的规则让它直连。</translation>
    </message>
    <message>
        <source>Your rules were changed in their file. Save replaces that, Revert shows it.</source>
        <translation>规则文件被其他程序改过。“保存”会覆盖它，“还原”会显示它。</translation>
    </message>
    <message>
        <source>a URL begins with its scheme: write ||example.com, or |http://example.com</source>
        <translation>网址以协议开头：请写 ||example.com 或 |http://example.com</translation>
    </message>
    <message>
        <source>a URL has no spaces and no control characters</source>
        <translation>网址中没有空格和控制字符</translation>
    </message>
    <message>
        <source>a class of characters is not closed</source>
        <translation>字符类没有闭合</translation>
    </message>
    <message>
        <source>a group is closed that was not opened</source>
        <translation>闭合了没有打开的分组</translation>
    </message>
    <message>
        <source>a group is not closed</source>
        <translation>分组没有闭合</translation>
    </message>
    <message>
        <source>a newer version wrote it: {why}</source>
        <translation>它由更新的版本写入：{why}</translation>
    </message>
    <message>
        <source>a regular expression ends with /</source>
        <translation>正则表达式要以 / 结尾</translation>
    </message>
    <message>
        <source>a repeat of a repeat, or of a choice, may take for ever on some addresses</source>
        <translation>重复之中再有重复或选择，对某些网址可能永远算不完</translation>
    </message>
    <message>
        <source>a repeat of more than {count} times</source>
        <translation>重复次数超过 {count}</translation>
    </message>
    <message>
        <source>a repeat of what takes nothing</source>
        <translation>重复的内容是空的</translation>
    </message>
    <message>
        <source>an empty class of characters</source>
        <translation>方括号里没有字符</translation>
    </message>
    <message>
        <source>an exception from an exception</source>
        <translation>例外之中又有例外</translation>
    </message>
    <message>
        <source>an exception from nothing</source>
        <translation>例外后面没有内容</translation>
    </message>
    <message>
        <source>another program</source>
        <translation>其他程序</translation>
    </message>
    <message>
        <source>another program reads it: names are still in its log</source>
        <translation>另一个程序正在读取它：日志中仍有名称</translation>
    </message>
    <message>
        <source>at most {amount} a day</source>
        <translation>单日最高 {amount}</translation>
    </message>
    <message>
        <source>attempt to write a readonly database</source>
        <translation>数据库是只读的</translation>
    </message>
    <message>
        <source>because it is in the local network</source>
        <translation>因为它在本地网络中</translation>
    </message>
    <message>
        <source>because no rule knows it</source>
        <translation>因为没有规则提到它</translation>
    </message>
    <message>
        <source>because of {rule} in {list}, line {line}</source>
        <translation>因为 {list} 第 {line} 行 {rule}</translation>
    </message>
    <message>
        <source>begins {age} later</source>
        <translation>{age}后开始</translation>
    </message>
    <message>
        <source>buffer empty</source>
        <translation>缓冲区为空</translation>
    </message>
    <message>
        <source>cannot listen on {place}: {why}</source>
        <translation>无法在 {place} 监听：{why}</translation>
    </message>
    <message>
        <source>classes like [:alpha:] are not known to browsers</source>
        <translation>浏览器不支持 [:alpha:] 这样的字符类</translation>
    </message>
    <message>
        <source>comes with ssgui</source>
        <translation>ssgui 自带</translation>
    </message>
    <message>
        <source>copy of {date}</source>
        <translation>{date} 的版本</translation>
    </message>
    <message>
        <source>covered by line {line}</source>
        <translation>被第 {line} 行覆盖</translation>
    </message>
    <message>
        <source>curl cannot ask for that</source>
        <translation>curl 无法请求这个目标</translation>
    </message>
    <message>
        <source>d MMM</source>
        <translation>M 月 d 日</translation>
    </message>
    <message>
        <source>d MMM yyyy</source>
        <translation>yyyy 年 M 月 d 日</translation>
    </message>
    <message>
        <source>database disk image is malformed</source>
        <translation>数据库内容已损坏</translation>
    </message>
    <message>
        <source>database is locked</source>
        <translation>数据库已被锁定</translation>
    </message>
    <message>
        <source>database or disk is full</source>
        <translation>数据库或磁盘已满</translation>
    </message>
    <message>
        <source>direct</source>
        <translation>直连</translation>
    </message>
    <message>
        <source>disk I/O error</source>
        <translation>磁盘读写错误</translation>
    </message>
    <message>
        <source>does not resolve: {why}</source>
        <translation>无法解析：{why}</translation>
    </message>
    <message>
        <source>down blocked</source>
        <translation>下行受阻</translation>
    </message>
    <message>
        <source>ended {age} before</source>
        <translation>{age}前已结束</translation>
    </message>
    <message>
        <source>ended {date}</source>
        <translation>已于 {date} 到期</translation>
    </message>
    <message>
        <source>entry {number}</source>
        <translation>第 {number} 项</translation>
    </message>
    <message>
        <source>everything else</source>
        <translation>其余流量</translation>
    </message>
    <message>
        <source>failed; the log has the error</source>
        <translation>失败，错误见日志</translation>
    </message>
    <message>
        <source>file is not a database</source>
        <translation>文件不是数据库</translation>
    </message>
    <message>
        <source>first byte after {time}</source>
        <translation>首字节 {time}</translation>
    </message>
    <message>
        <source>goes directly</source>
        <translation>直连</translation>
    </message>
    <message>
        <source>goes through the proxy</source>
        <translation>走代理</translation>
    </message>
    <message>
        <source>gui-config.json of shadowsocks-windows (*.json)</source>
        <translation>shadowsocks-windows 的 gui-config.json (*.json)</translation>
    </message>
    <message>
        <source>http is not encrypted: anybody on the way could change the list. Use https.</source>
        <translation>http 未加密，途中任何人都能篡改列表。请使用 https。</translation>
    </message>
    <message>
        <source>http is not encrypted: anybody on the way could read and change the list; use https</source>
        <translation>http 未加密，途中任何人都能读取和篡改列表，请用 https</translation>
    </message>
    <message>
        <source>it asks for One-Time Auth (OTA), which the AEAD methods replaced</source>
        <translation>它要求一次性验证（OTA），该功能已被 AEAD 加密方式取代</translation>
    </message>
    <message>
        <source>it cannot be kept: {why}</source>
        <translation>无法保存：{why}</translation>
    </message>
    <message>
        <source>it does not answer</source>
        <translation>没有应答</translation>
    </message>
    <message>
        <source>it ends in a backslash</source>
        <translation>以反斜杠结尾</translation>
    </message>
    <message>
        <source>it has characters that are not UTF-8</source>
        <translation>含有非 UTF-8 字符</translation>
    </message>
    <message>
        <source>it has no method</source>
        <translation>缺少加密方式</translation>
    </message>
    <message>
        <source>it has no password</source>
        <translation>缺少密码</translation>
    </message>
    <message>
        <source>it has no port</source>
        <translation>缺少端口</translation>
    </message>
    <message>
        <source>it has no server address</source>
        <translation>缺少服务器地址</translation>
    </message>
    <message>
        <source>it has {count} lists in it: say which</source>
        <translation>其中有 {count} 个列表：请指明要哪个</translation>
    </message>
    <message>
        <source>it has {now} rules, the last one had {before}</source>
        <translation>只有 {now} 条规则，而上一版有 {before} 条</translation>
    </message>
    <message>
        <source>it hides parts of pages, which is for ad blockers</source>
        <translation>这是隐藏网页元素的规则，用于广告拦截器</translation>
    </message>
    <message>
        <source>it is a picture; QR codes in pictures are not read here</source>
        <translation>这是图片，此处不读取图片中的二维码</translation>
    </message>
    <message>
        <source>it is a web address, not the link of a server</source>
        <translation>这是网址，不是服务器链接</translation>
    </message>
    <message>
        <source>it is a web page, not a list</source>
        <translation>这是网页，不是列表</translation>
    </message>
    <message>
        <source>it is a web page, or other XML</source>
        <translation>这是网页或其他 XML</translation>
    </message>
    <message>
        <source>it is cut off</source>
        <translation>内容被截断</translation>
    </message>
    <message>
        <source>it is damaged and cannot be set aside: {why}</source>
        <translation>它已损坏，且无法移开：{why}</translation>
    </message>
    <message>
        <source>it is damaged, or something else</source>
        <translation>已损坏，或者不是这种文件</translation>
    </message>
    <message>
        <source>it is empty</source>
        <translation>内容为空</translation>
    </message>
    <message>
        <source>it is full of zero bytes: it was lost when the computer went down; look for a backup of it</source>
        <translation>文件内容全为零字节，断电时已丢失，请找备份</translation>
    </message>
    <message>
        <source>it is kept as {file}</source>
        <translation>已另存为 {file}</translation>
    </message>
    <message>
        <source>it is left alone</source>
        <translation>保持原样</translation>
    </message>
    <message>
        <source>it is no link</source>
        <translation>不是链接</translation>
    </message>
    <message>
        <source>it is no object</source>
        <translation>不是对象</translation>
    </message>
    <message>
        <source>it is not text, and not a dlc.dat</source>
        <translation>既不是文本，也不是 dlc.dat</translation>
    </message>
    <message>
        <source>it may take for ever on some addresses: too many ways to repeat</source>
        <translation>对某些网址可能永远算不完：重复方式太多</translation>
    </message>
    <message>
        <source>it never matches: of an https URL only the host is known to a PAC</source>
        <translation>永远不会匹配：对 https 网址，PAC 只知道主机名</translation>
    </message>
    <message>
        <source>it never matches: of an https URL only the host is known to a PAC: write {rule}</source>
        <translation>永远不会匹配：对 https 网址，PAC 只知道主机名；请写 {rule}</translation>
    </message>
    <message>
        <source>it never matches: text is looked for in http: URLs only; write ||example.com</source>
        <translation>永远不会匹配：文本只在 http: 网址中查找；请写 ||example.com</translation>
    </message>
    <message>
        <source>it never matches: what is behind # never leaves a browser</source>
        <translation>永远不会匹配：# 之后的内容不会离开浏览器</translation>
    </message>
    <message>
        <source>it takes an administrator's rights, and Windows did not ask for them: error {number}</source>
        <translation>需要管理员权限，但 Windows 没有询问：错误 {number}</translation>
    </message>
    <message>
        <source>it takes an administrator's rights, and they were not given</source>
        <translation>需要管理员权限，但没有得到</translation>
    </message>
    <message>
        <source>it would match everything</source>
        <translation>会匹配所有网址</translation>
    </message>
    <message>
        <source>its certificate is not to be trusted</source>
        <translation>证书不可信</translation>
    </message>
    <message>
        <source>its file cannot be read: {why}</source>
        <translation>无法读取其文件：{why}</translation>
    </message>
    <message>
        <source>its password is sealed with the system's keyring</source>
        <translation>密码已用系统钥匙串加密</translation>
    </message>
    <message>
        <source>its plugin has no name</source>
        <translation>插件没有名称</translation>
    </message>
    <message>
        <source>its plugin {plugin} is one of Clash alone and cannot be started</source>
        <translation>插件 {plugin} 仅 Clash 才有，无法启动</translation>
    </message>
    <message>
        <source>its plugin, or an option of it, is no proper text</source>
        <translation>插件或其选项不是有效的文本</translation>
    </message>
    <message>
        <source>its port is not one of 1 to 65535</source>
        <translation>端口不在 1 到 65535 之间</translation>
    </message>
    <message>
        <source>its server address is no host name or address</source>
        <translation>服务器地址不是主机名或地址</translation>
    </message>
    <message>
        <source>its version is {number}, ours {count}</source>
        <translation>它的版本是 {number}，我们的是 {count}</translation>
    </message>
    <message>
        <source>key {number} of the {count} in the password</source>
        <translation>密码的 {count} 个密钥中的第 {number} 个</translation>
    </message>
    <message>
        <source>line {line}</source>
        <translation>第 {line} 行</translation>
    </message>
    <message>
        <source>line {line}, column {column}: {what}</source>
        <translation>第 {line} 行第 {column} 列：{what}</translation>
    </message>
    <message>
        <source>link {number}</source>
        <translation>第 {number} 个链接</translation>
    </message>
    <message>
        <source>link {number} (line {line})</source>
        <translation>第 {number} 个链接（第 {line} 行）</translation>
    </message>
    <message>
        <source>links that begin with {scheme} are not supported, only ss://</source>
        <translation>不支持以 {scheme} 开头的链接，仅支持 ss://</translation>
    </message>
    <message>
        <source>longer than {count} characters</source>
        <translation>超过 {count} 个字符</translation>
    </message>
    <message>
        <source>more than one word</source>
        <translation>不止一个词</translation>
    </message>
    <message>
        <source>more than {limit} regular expressions: {surplus} are left out from here on</source>
        <translation>正则表达式超过 {limit} 个：从这里起有 {surplus} 个不生效</translation>
    </message>
    <message>
        <source>more than {size} MiB</source>
        <translation>超过 {size} MiB</translation>
    </message>
    <message>
        <source>more than {size} MiB of rules</source>
        <translation>规则超过 {size} MiB</translation>
    </message>
    <message>
        <source>names come in Punycode (xn--...), of which a wildcard cannot be a part</source>
        <translation>域名以 Punycode（xn--…）形式出现，其中不能有通配符</translation>
    </message>
    <message>
        <source>never hit</source>
        <translation>从未命中</translation>
    </message>
    <message>
        <source>no address</source>
        <translation>没有地址</translation>
    </message>
    <message>
        <source>no answer from DNS within {seconds} s</source>
        <translation>DNS 在 {seconds} 秒内没有回应</translation>
    </message>
    <message>
        <source>no answer within {seconds} s</source>
        <translation>{seconds} 秒内没有回应</translation>
    </message>
    <message>
        <source>no byte in {time}</source>
        <translation>{time} 内没有收到数据</translation>
    </message>
    <message>
        <source>no connection within {seconds} s</source>
        <translation>{seconds} 秒内未能连接</translation>
    </message>
    <message>
        <source>no rule in it is understood</source>
        <translation>其中没有能理解的规则</translation>
    </message>
    <message>
        <source>no rule in it is understood: {why}</source>
        <translation>其中没有能理解的规则：{why}</translation>
    </message>
    <message>
        <source>none of its servers can be used: {why}</source>
        <translation>其中的服务器都不能使用：{why}</translation>
    </message>
    <message>
        <source>not UTF-8: byte {number}</source>
        <translation>不是 UTF-8：第 {number} 字节</translation>
    </message>
    <message>
        <source>not a host name</source>
        <translation>不是主机名</translation>
    </message>
    <message>
        <source>not a regular expression that is understood: {why}</source>
        <translation>无法理解的正则表达式：{why}</translation>
    </message>
    <message>
        <source>not an address</source>
        <translation>不是地址</translation>
    </message>
    <message>
        <source>not known</source>
        <translation>未知</translation>
    </message>
    <message>
        <source>not served now</source>
        <translation>目前没有提供</translation>
    </message>
    <message>
        <source>not updated: {why} · list of {age} ago</source>
        <translation>未更新：{why} · 仍用 {age}前的列表</translation>
    </message>
    <message>
        <source>nothing to repeat before {char}</source>
        <translation>{char} 之前没有可以重复的内容</translation>
    </message>
    <message>
        <source>nothing to repeat before {text}</source>
        <translation>{text} 前面没有可重复的内容</translation>
    </message>
    <message>
        <source>now</source>
        <translation>现在</translation>
    </message>
    <message>
        <source>only ASCII can be matched: names come in Punycode</source>
        <translation>只能匹配 ASCII：域名以 Punycode 形式出现</translation>
    </message>
    <message>
        <source>our own port does not listen, and lists are not fetched past it</source>
        <translation>本机端口没有在监听，而列表不会绕过它获取</translation>
    </message>
    <message>
        <source>over {seconds} s</source>
        <translation>超过 {seconds} 秒</translation>
    </message>
    <message>
        <source>port {port}</source>
        <translation>端口 {port}</translation>
    </message>
    <message>
        <source>reading</source>
        <translation>正在读取</translation>
    </message>
    <message>
        <source>rejected</source>
        <translation>已拒绝</translation>
    </message>
    <message>
        <source>restored the copy of {time}</source>
        <translation>已恢复 {time} 的备份</translation>
    </message>
    <message>
        <source>rule {rule}</source>
        <translation>规则 {rule}</translation>
    </message>
    <message>
        <source>servers of the type {kind} are not supported, only Shadowsocks</source>
        <translation>不支持 {kind} 类型的服务器，仅支持 Shadowsocks</translation>
    </message>
    <message>
        <source>servers of the type {kind} are not supported, only ss</source>
        <translation>不支持 {kind} 类型的服务器，仅支持 ss</translation>
    </message>
    <message>
        <source>settings cannot be saved in {folder}: {why}</source>
        <translation>设置无法保存到 {folder}：{why}</translation>
    </message>
    <message>
        <source>sites as codes</source>
        <translation>站点以代码记录</translation>
    </message>
    <message>
        <source>sites by name</source>
        <translation>站点记录名称</translation>
    </message>
    <message>
        <source>sites left out</source>
        <translation>不记录站点</translation>
    </message>
    <message>
        <source>ssgui is still running</source>
        <translation>ssgui 仍在运行</translation>
    </message>
    <message>
        <source>ssgui starter rules</source>
        <translation>ssgui 初始规则</translation>
    </message>
    <message>
        <source>the PAC would have {bytes} bytes, more than {most}: the list {name} is too big</source>
        <translation>PAC 将有 {bytes} 字节，超过 {most}：列表 {name} 太大</translation>
    </message>
    <message>
        <source>the client's clock is {time} ahead</source>
        <translation>客户端的时钟快了 {time}</translation>
    </message>
    <message>
        <source>the client's clock is {time} behind</source>
        <translation>客户端的时钟慢了 {time}</translation>
    </message>
    <message>
        <source>the file is empty</source>
        <translation>文件为空</translation>
    </message>
    <message>
        <source>the file is full of zero bytes</source>
        <translation>文件内容全为零字节</translation>
    </message>
    <message>
        <source>the length of a prefix is 0 to {most}</source>
        <translation>前缀长度须为 0–{most}</translation>
    </message>
    <message>
        <source>the list cannot be read: {why}</source>
        <translation>列表无法读取：{why}</translation>
    </message>
    <message>
        <source>the list is empty</source>
        <translation>列表为空</translation>
    </message>
    <message>
        <source>the list of {host} is larger than {size} MiB</source>
        <translation>{host} 的列表超过 {size} MiB</translation>
    </message>
    <message>
        <source>the password</source>
        <translation>密码</translation>
    </message>
    <message>
        <source>the password is empty</source>
        <translation>密码为空</translation>
    </message>
    <message>
        <source>the password is empty; {what}</source>
        <translation>密码为空，{what}</translation>
    </message>
    <message>
        <source>the plugin {plugin} cannot be started: {why}</source>
        <translation>插件 {plugin} 无法启动：{why}</translation>
    </message>
    <message>
        <source>the plugin {plugin} does not listen within {seconds} s</source>
        <translation>插件 {plugin} 在 {seconds} 秒内没有开始监听</translation>
    </message>
    <message>
        <source>the plugin {plugin} ended with {what}</source>
        <translation>插件 {plugin} 已退出：{what}</translation>
    </message>
    <message>
        <source>the plugin {plugin} is not there: no such program in PATH</source>
        <translation>找不到插件 {plugin}：PATH 中没有该程序</translation>
    </message>
    <message>
        <source>the port is missing</source>
        <translation>缺少端口</translation>
    </message>
    <message>
        <source>the program sent nothing</source>
        <translation>程序没有发送数据</translation>
    </message>
    <message>
        <source>the program with an administrator's rights does not come to an end</source>
        <translation>以管理员权限运行的程序没有结束</translation>
    </message>
    <message>
        <source>the proxy does not listen</source>
        <translation>代理没有在监听</translation>
    </message>
    <message>
        <source>the proxy {address} cannot be reached: {why}</source>
        <translation>无法连接代理 {address}：{why}</translation>
    </message>
    <message>
        <source>the server ended the connection without an answer</source>
        <translation>服务器未作回应就结束了连接</translation>
    </message>
    <message>
        <source>the server reset the connection</source>
        <translation>服务器重置了连接</translation>
    </message>
    <message>
        <source>the server {name}</source>
        <translation>服务器 {name}</translation>
    </message>
    <message>
        <source>the target</source>
        <translation>目标</translation>
    </message>
    <message>
        <source>the transport {name} is not supported</source>
        <translation>不支持传输方式 {name}</translation>
    </message>
    <message>
        <source>there are more than {count} links, the rest is not read</source>
        <translation>链接超过 {count} 个，其余未读取</translation>
    </message>
    <message>
        <source>there are more than {count} servers</source>
        <translation>服务器超过 {count} 个</translation>
    </message>
    <message>
        <source>there are no apps from the store</source>
        <translation>没有应用商店的应用</translation>
    </message>
    <message>
        <source>there is no host</source>
        <translation>没有主机名</translation>
    </message>
    <message>
        <source>there is no list {name} in it</source>
        <translation>其中没有列表 {name}</translation>
    </message>
    <message>
        <source>there is no method and password in it</source>
        <translation>其中没有加密方式和密码</translation>
    </message>
    <message>
        <source>there is no method in it</source>
        <translation>其中没有加密方式</translation>
    </message>
    <message>
        <source>there is no password in it</source>
        <translation>其中没有密码</translation>
    </message>
    <message>
        <source>there is no reason {text}</source>
        <translation>没有名为 {text} 的原因</translation>
    </message>
    <message>
        <source>there is no route {text}: write proxy, direct or reject</source>
        <translation>没有名为 {text} 的路由：请写 proxy、direct 或 reject</translation>
    </message>
    <message>
        <source>there is no server address in it</source>
        <translation>其中没有服务器地址</translation>
    </message>
    <message>
        <source>there is no server in it ({format})</source>
        <translation>其中没有服务器（{format}）</translation>
    </message>
    <message>
        <source>there is no server in it: no link, and no format that is known</source>
        <translation>其中没有服务器：既没有链接，也不是已知的格式</translation>
    </message>
    <message>
        <source>there is no stage {text}</source>
        <translation>没有名为 {text} 的阶段</translation>
    </message>
    <message>
        <source>this desktop keeps another program for ss:// links; its own settings say which</source>
        <translation>此桌面仍用别的程序打开 ss:// 链接，请在它自己的设置里更改</translation>
    </message>
    <message>
        <source>this expression takes too long</source>
        <translation>这个表达式耗时太长</translation>
    </message>
    <message>
        <source>this is no https address</source>
        <translation>这不是 https 地址</translation>
    </message>
    <message>
        <source>this is no name that a rule can have</source>
        <translation>规则不能使用这样的名称</translation>
    </message>
    <message>
        <source>this is no web address</source>
        <translation>这不是网址</translation>
    </message>
    <message>
        <source>timed out</source>
        <translation>超时</translation>
    </message>
    <message>
        <source>too large for a list of servers (more than {size} MiB)</source>
        <translation>作为服务器列表过大（超过 {size} MiB）</translation>
    </message>
    <message>
        <source>too long when its repeats are written out</source>
        <translation>把重复展开后太长</translation>
    </message>
    <message>
        <source>unable to open database file</source>
        <translation>无法打开数据库文件</translation>
    </message>
    <message>
        <source>until {date}</source>
        <translation>有效期至 {date}</translation>
    </message>
    <message>
        <source>up blocked</source>
        <translation>上行受阻</translation>
    </message>
    <message>
        <source>updated {age} ago</source>
        <translation>{age}前更新</translation>
    </message>
    <message>
        <source>waiting for {time}</source>
        <translation>已等待 {time}</translation>
    </message>
    <message>
        <source>what answers does not say what time it is</source>
        <translation>应答中没有时间</translation>
    </message>
    <message>
        <source>what answers is not HTTP</source>
        <translation>回应的不是 HTTP</translation>
    </message>
    <message>
        <source>what is in the local network is always direct</source>
        <translation>本地网络中的地址始终直连</translation>
    </message>
    <message>
        <source>what should be base64 is not</source>
        <translation>应为 base64 的部分不是 base64</translation>
    </message>
    <message>
        <source>writing</source>
        <translation>正在写入</translation>
    </message>
    <message>
        <source>writing blocked for {time}</source>
        <translation>写入受阻 {time}</translation>
    </message>
    <message>
        <source>written by a newer version; what this one does not know is kept</source>
        <translation>由更新的版本写入，此版本不认识的内容会保留</translation>
    </message>
    <message>
        <source>your clock is {time} ahead of the server's</source>
        <translation>本机时钟比服务器快了 {time}</translation>
    </message>
    <message>
        <source>your clock is {time} behind the server's</source>
        <translation>本机时钟比服务器慢了 {time}</translation>
    </message>
    <message>
        <source>your exception in line {line} decides first: {rule}</source>
        <translation>你在第 {line} 行的例外优先：{rule}</translation>
    </message>
    <message>
        <source>your rules were changed in their file meanwhile: look at them before you save</source>
        <translation>规则文件刚刚被其他程序改过：请先看一看，再保存</translation>
    </message>
    <message>
        <source>{address} still listens</source>
        <translation>{address} 仍在监听</translation>
    </message>
    <message>
        <source>{age} ago</source>
        <translation>{age}前</translation>
    </message>
    <message>
        <source>{amount} in total</source>
        <translation>共 {amount}</translation>
    </message>
    <message>
        <source>{amount} left</source>
        <translation>剩余 {amount}</translation>
    </message>
    <message>
        <source>{count} answers cannot be opened with password and method.</source>
        <translation>{count} 个应答无法用此密码和加密方式解开。</translation>
    </message>
    <message>
        <source>{count} are hidden.</source>
        <translation>已隐藏 {count} 个。</translation>
    </message>
    <message>
        <source>{count} connections closed</source>
        <translation>已关闭 {count} 个连接</translation>
    </message>
    <message>
        <source>{count} connections in a row got nothing back.</source>
        <translation>连续 {count} 个连接没有收到任何数据。</translation>
    </message>
    <message>
        <source>{count} days</source>
        <translation>{count} 天</translation>
    </message>
    <message>
        <source>{count} errors in 10 min</source>
        <translation>{count} 个错误（10 分钟内）</translation>
    </message>
    <message>
        <source>{count} errors, skipped</source>
        <translation>{count} 处错误，已跳过</translation>
    </message>
    <message>
        <source>{count} h</source>
        <translation>{count} 小时</translation>
    </message>
    <message>
        <source>{count} hits today</source>
        <translation>今日命中 {count} 次</translation>
    </message>
    <message>
        <source>{count} lines not understood</source>
        <translation>{count} 行无法理解</translation>
    </message>
    <message>
        <source>{count} lines were not understood, and are skipped.</source>
        <translation>有 {count} 行无法理解，已跳过。</translation>
    </message>
    <message>
        <source>{count} min</source>
        <translation>{count} 分钟</translation>
    </message>
    <message>
        <source>{count} more</source>
        <translation>另有 {count} 条</translation>
    </message>
    <message>
        <source>{count} more cannot be used; the notes say why.</source>
        <translation>另有 {count} 项无法使用，原因见备注。</translation>
    </message>
    <message>
        <source>{count} newer</source>
        <translation>{count} 个新连接</translation>
    </message>
    <message>
        <source>{count} of {all} requests came with one, most of all of {programs}: the program had asked this network for it.</source>
        <translation>{all} 个请求中有 {count} 个带的是地址，主要来自 {programs}：程序已向当前网络查询过域名。</translation>
    </message>
    <message>
        <source>{count} of {all} requests came with one: the program had asked this network for it.</source>
        <translation>{all} 个请求中有 {count} 个带的是地址：程序已向当前网络查询过域名。</translation>
    </message>
    <message>
        <source>{count} of {attempts} attempts failed, the last after {time}.</source>
        <translation>{attempts} 次尝试中 {count} 次失败，最近一次用时 {time}。</translation>
    </message>
    <message>
        <source>{count} of {attempts} attempts failed: {reason}</source>
        <translation>{attempts} 次尝试中有 {count} 次失败：{reason}</translation>
    </message>
    <message>
        <source>{count} other targets answered through the same server meanwhile.</source>
        <translation>同一服务器上另有 {count} 个目标在此期间有应答。</translation>
    </message>
    <message>
        <source>{count} ranges, Rules mode only</source>
        <translation>{count} 个地址段，仅用于规则模式</translation>
    </message>
    <message>
        <source>{count} rows</source>
        <translation>{count} 行</translation>
    </message>
    <message>
        <source>{count} rules</source>
        <translation>{count} 条规则</translation>
    </message>
    <message>
        <source>{count} s</source>
        <translation>{count} 秒</translation>
    </message>
    <message>
        <source>{count} servers added</source>
        <translation>已添加 {count} 个服务器</translation>
    </message>
    <message>
        <source>{count} servers written, with their passwords</source>
        <translation>已写入 {count} 个服务器，含密码</translation>
    </message>
    <message>
        <source>{count} times from {address} in 10 min: a client with a wrong password, or a probe.</source>
        <translation>10 分钟内来自 {address} 共 {count} 次：密码有误的客户端，或探测。</translation>
    </message>
    <message>
        <source>{day}: {count} connections, {failed} failed, {down} down, {up} up</source>
        <translation>{day}：{count} 个连接，{failed} 个失败，下载 {down}，上传 {up}</translation>
    </message>
    <message>
        <source>{file} cannot be changed: {why}</source>
        <translation>{file} 不能更改：{why}</translation>
    </message>
    <message>
        <source>{file} cannot be read.</source>
        <translation>无法读取 {file}。</translation>
    </message>
    <message>
        <source>{file} cannot be read: {why}</source>
        <translation>无法读取 {file}：{why}</translation>
    </message>
    <message>
        <source>{file} cannot be removed: {why}</source>
        <translation>{file} 不能删除：{why}</translation>
    </message>
    <message>
        <source>{file} cannot be written.</source>
        <translation>无法写入 {file}。</translation>
    </message>
    <message>
        <source>{file} cannot be written: {why}</source>
        <translation>无法写入 {file}：{why}</translation>
    </message>
    <message>
        <source>{file} could not be read ({why})</source>
        <translation>{file} 无法读取（{why}）</translation>
    </message>
    <message>
        <source>{file} was damaged ({why}); it is kept as {other}</source>
        <translation>{file} 已损坏（{why}），保存为 {other}</translation>
    </message>
    <message>
        <source>{file} was missing; {what}</source>
        <translation>{file} 不存在，{what}</translation>
    </message>
    <message>
        <source>{file} written</source>
        <translation>已写入 {file}</translation>
    </message>
    <message>
        <source>{first} {rest}</source>
        <translation>{first}{rest}</translation>
    </message>
    <message>
        <source>{first}: {rest}</source>
        <translation>{first}：{rest}</translation>
    </message>
    <message>
        <source>{first}; {rest}</source>
        <translation>{first}；{rest}</translation>
    </message>
    <message>
        <source>{folder} cannot be written to ({why}): nothing is kept</source>
        <translation>无法写入 {folder}（{why}），什么都不会保存</translation>
    </message>
    <message>
        <source>{host} answers nonsense ({what})</source>
        <translation>{host} 的回应无法理解（{what}）</translation>
    </message>
    <message>
        <source>{host} answers {status}</source>
        <translation>{host} 返回 {status}</translation>
    </message>
    <message>
        <source>{host} cannot be reached: {why}</source>
        <translation>无法连接 {host}：{why}</translation>
    </message>
    <message>
        <source>{host} does not answer.</source>
        <translation>{host} 没有应答。</translation>
    </message>
    <message>
        <source>{host} does not resolve.</source>
        <translation>无法解析 {host}。</translation>
    </message>
    <message>
        <source>{host} does not resolve: {why}</source>
        <translation>{host} 无法解析：{why}</translation>
    </message>
    <message>
        <source>{host} ended it without an answer.</source>
        <translation>{host} 未应答就结束了连接。</translation>
    </message>
    <message>
        <source>{host} has not answered yet.</source>
        <translation>{host} 还没有应答。</translation>
    </message>
    <message>
        <source>{host} is too slow: more than {seconds} s</source>
        <translation>{host} 太慢，超过 {seconds} 秒</translation>
    </message>
    <message>
        <source>{host} is {addresses} here: a filter, or another proxy program, answers for it.</source>
        <translation>{host} 在这里是 {addresses}：过滤器或其他代理程序代为应答。</translation>
    </message>
    <message>
        <source>{host} port {port}</source>
        <translation>{host} 端口 {port}</translation>
    </message>
    <message>
        <source>{host} refuses connections.</source>
        <translation>{host} 拒绝连接。</translation>
    </message>
    <message>
        <source>{host} reset it.</source>
        <translation>{host} 重置了连接。</translation>
    </message>
    <message>
        <source>{host} sends from one address to the next without end</source>
        <translation>{host} 无休止地重定向</translation>
    </message>
    <message>
        <source>{host} takes no more.</source>
        <translation>{host} 不再接收数据。</translation>
    </message>
    <message>
        <source>{key} {value}: it is no server of Shadowsocks (of ShadowsocksR, perhaps)</source>
        <translation>{key} {value}：不是 Shadowsocks 服务器（可能是 ShadowsocksR）</translation>
    </message>
    <message>
        <source>{method} needs a key of {size} bytes in base64, as `openssl rand -base64 {again}` makes it</source>
        <translation>{method} 需要 base64 形式的 {size} 字节密钥，可用 `openssl rand -base64 {again}` 生成</translation>
    </message>
    <message>
        <source>{method} takes one key: only the AES methods of 2022 have users</source>
        <translation>{method} 只接受一个密钥，只有 2022 的 AES 加密方式支持多用户</translation>
    </message>
    <message>
        <source>{name} added</source>
        <translation>已添加 {name}</translation>
    </message>
    <message>
        <source>{name} asked for nothing that a proxy understands.</source>
        <translation>{name} 发出的请求不是代理能理解的。</translation>
    </message>
    <message>
        <source>{name} connected, and did not say what it wants.</source>
        <translation>{name} 已连接，但没有说明要做什么。</translation>
    </message>
    <message>
        <source>{name} copy</source>
        <translation>{name} 副本</translation>
    </message>
    <message>
        <source>{name} deleted</source>
        <translation>已删除 {name}</translation>
    </message>
    <message>
        <source>{name} is not reading.</source>
        <translation>{name} 没有读取数据。</translation>
    </message>
    <message>
        <source>{name} removed</source>
        <translation>已移除 {name}</translation>
    </message>
    <message>
        <source>{name}: its password was sealed with another key of the keyring, or is damaged</source>
        <translation>{name}：密码由钥匙串中的另一密钥加密，或已损坏</translation>
    </message>
    <message>
        <source>{option} is an option for ad blockers</source>
        <translation>{option} 是广告拦截器的选项</translation>
    </message>
    <message>
        <source>{plugin} may not be started yet: use the server, and allow it</source>
        <translation>尚不允许启动 {plugin}：请先使用该服务器并允许</translation>
    </message>
    <message>
        <source>{program} · PID {pid}</source>
        <translation>{program} · PID {pid}</translation>
    </message>
    <message>
        <source>{rate} on average</source>
        <translation>平均 {rate}</translation>
    </message>
    <message>
        <source>{rule} in {list}, line {line}</source>
        <translation>{list} 第 {line} 行 {rule}</translation>
    </message>
    <message>
        <source>{server} cannot be tried · {count} attempts failed</source>
        <translation>无法尝试 {server} · {count} 次尝试失败</translation>
    </message>
    <message>
        <source>{server} cannot be used yet</source>
        <translation>{server} 还不能使用</translation>
    </message>
    <message>
        <source>{server} does not answer</source>
        <translation>{server} 没有应答</translation>
    </message>
    <message>
        <source>{server} has not answered yet.</source>
        <translation>{server} 还没有应答。</translation>
    </message>
    <message>
        <source>{server} has stopped answering.</source>
        <translation>{server} 不再应答。</translation>
    </message>
    <message>
        <source>{server} refuses connections.</source>
        <translation>{server} 拒绝连接。</translation>
    </message>
    <message>
        <source>{server} resets every connection.</source>
        <translation>{server} 重置了所有连接。</translation>
    </message>
    <message>
        <source>{server} · Bytes came back {age} ago</source>
        <translation>{server} · {age}前收到数据</translation>
    </message>
    <message>
        <source>{server} · Nothing sent through it yet</source>
        <translation>{server} · 还没有流量经过</translation>
    </message>
    <message>
        <source>{server} · Trying for {age}</source>
        <translation>{server} · 已尝试 {age}</translation>
    </message>
    <message>
        <source>{size} left, and not one byte was acknowledged in {time}.</source>
        <translation>已发出 {size}，没有任何数据得到确认，已等待 {time}。</translation>
    </message>
    <message>
        <source>{size} never sent</source>
        <translation>{size} 未发送</translation>
    </message>
    <message>
        <source>{size} sent, and nothing back for {time}.</source>
        <translation>已发送 {size}，没有回应，已等待 {time}。</translation>
    </message>
    <message>
        <source>{size} sent, and nothing back in {time}.</source>
        <translation>已发送 {size}，没有回应，共等待 {time}。</translation>
    </message>
    <message>
        <source>{size} sent, {time} waited. Too little is known to say why.</source>
        <translation>已发送 {size}，等待了 {time}。信息太少，无法判断原因。</translation>
    </message>
    <message>
        <source>{size} wait for it, for {time} now. The server is fine.</source>
        <translation>有 {size} 在等它读取，已 {time}。服务器正常。</translation>
    </message>
    <message>
        <source>{size} wait, and nothing has moved for {time}.</source>
        <translation>{size} 在等待发送，已停滞 {time}。</translation>
    </message>
    <message>
        <source>{size} wait, and only {rate} got through for {time}.</source>
        <translation>{size} 在等待发送，只有 {rate} 通过，已持续 {time}。</translation>
    </message>
    <message>
        <source>{size} waits for the connection</source>
        <translation>{size} 等待连接建立</translation>
    </message>
    <message>
        <source>{text} after {other} is not understood by browsers</source>
        <translation>浏览器无法理解 {other} 之后的 {text}</translation>
    </message>
    <message>
        <source>{text} after {repeat} is not understood by browsers</source>
        <translation>浏览器不支持 {repeat} 之后的 {text}</translation>
    </message>
    <message>
        <source>{text} in a class of characters</source>
        <translation>方括号里有 {text}</translation>
    </message>
    <message>
        <source>{text} is looked for without a regular expression</source>
        <translation>{text} 不能用正则表达式查找</translation>
    </message>
    <message>
        <source>{text} is no duration: write 30s or 5min</source>
        <translation>{text} 不是时长：请写成 30s 或 5min</translation>
    </message>
    <message>
        <source>{text} is no host name or address</source>
        <translation>{text} 不是主机名或地址</translation>
    </message>
    <message>
        <source>{text} is no kind of rule that is known here</source>
        <translation>{text} 不是已知的规则类型</translation>
    </message>
    <message>
        <source>{text} is no number</source>
        <translation>{text} 不是数字</translation>
    </message>
    <message>
        <source>{text} is no port</source>
        <translation>{text} 不是端口</translation>
    </message>
    <message>
        <source>{text} is no port ({low} to {high})</source>
        <translation>{text} 不是端口（{low} 到 {high}）</translation>
    </message>
    <message>
        <source>{text} is no size: write 500kB or 1MB</source>
        <translation>{text} 不是大小：请写成 500kB 或 1MB</translation>
    </message>
    <message>
        <source>{text} is nothing that is measured: write age, wait, up, down or rate</source>
        <translation>{text} 不是可比较的量：请写 age、wait、up、down 或 rate</translation>
    </message>
    <message>
        <source>{text} means different things, or nothing, in browsers and here</source>
        <translation>{text} 在浏览器和这里含义不同，或者没有含义</translation>
    </message>
    <message>
        <source>{time} ahead</source>
        <translation>快了 {time}</translation>
    </message>
    <message>
        <source>{time} behind</source>
        <translation>慢了 {time}</translation>
    </message>
    <message>
        <source>{time} · an old one</source>
        <translation>{time} · 旧版本</translation>
    </message>
    <message>
        <source>{time} · v{version}, still the old one</source>
        <translation>{time} · v{version}，仍是旧版本</translation>
    </message>
    <message>
        <source>{what} cannot be used: {why}</source>
        <translation>{what} 不能使用：{why}</translation>
    </message>
    <message>
        <source>{what} has {count} bytes; {more}</source>
        <translation>{what}有 {count} 个字节，{more}</translation>
    </message>
    <message>
        <source>{what} is no base64; {more}</source>
        <translation>{what}不是 base64，{more}</translation>
    </message>
    <message>
        <source>{what}.</source>
        <translation>{what}。</translation>
    </message>
</context>
</TS>
