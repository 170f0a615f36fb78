import { chromium } from 'playwright-core'
const base='http://127.0.0.1:8197', api=base+'/api/v1/halls/township'
const pw=process.argv[2]; let cookie='',n=0
async function call(method,path,body,extra={}){const r=await fetch(api+'/'+path,{method,headers:{'Content-Type':'application/json','Idempotency-Key':'k'+Date.now()+(n++),cookie,...extra},body:body===undefined?undefined:JSON.stringify(body)});const c=r.headers.get('set-cookie');if(c)cookie=c.split(';')[0];const t=await r.text();let j;try{j=JSON.parse(t)}catch{j=t};if(!r.ok)console.log(method,path,r.status,JSON.stringify(j).slice(0,200));return j}
await call('POST','session',{staff:'admin',password:pw})
await call('POST','session/password',{old:pw,new:'Yichuang-2026'})
await call('POST','session',{staff:'admin',password:'Yichuang-2026'})
await call('POST','staff',{staff:'m1',name:'王敏',roles:['clerk','manager','guide'],password:'Yichuang-2027'})
const b=await chromium.launch({executablePath:'/usr/bin/chromium',args:['--no-sandbox','--disable-gpu','--disable-quic','--no-first-run','--disable-background-networking','--disable-component-update','--disable-sync','--autoplay-policy=no-user-gesture-required']})
const foreign=[]
async function screen(path,role,of,w,h){const c=await b.newContext({viewport:{width:w,height:h}});const p=await c.newPage();p.on('console',m=>console.log(path,m.type(),m.text()));p.on('pageerror',e=>console.log(path,'ERR',e.message));p.on('request',r=>{if(!r.url().startsWith(base)&&!r.url().startsWith('blob:'))foreign.push(r.url())});
 await p.goto(base+path);await p.waitForURL('**/join');await p.waitForSelector('.num');const code=(await p.textContent('.num')).trim();if(role==='hall')await p.screenshot({path:'look-out/live-join.png'});
 console.log(role,'code',code,JSON.stringify(await call('POST',`pairings/${code}/approve`,{role,of,name:role+'屏'})).slice(0,120));await p.waitForURL('**'+path,{timeout:8000});return p}
const hall=await screen('/hall','hall','',1920,1080)
const win=await screen('/window','window','1',1024,600)
cookie='';await call('POST','session',{staff:'m1',password:'Yichuang-2027',window:'1'})
await call('POST','day/open',{})
await call('POST','windows/1/open',{take_over:true})
const hits=await call('GET','matters?q=&limit=3');console.log('matters',hits.hits?.map(h=>h.name+h.id).join(' '))
const t=await call('POST','tickets',{matters:[hits.hits[0].id]});console.log(t.ticket?.number,t.url)
const t2=await call('POST','tickets',{matters:[hits.hits[0].id]})
const pc=await b.newContext({viewport:{width:390,height:844},locale:'zh-CN'});const ph=await pc.newPage();ph.on('console',m=>console.log('phone',m.type(),m.text()));ph.on('pageerror',e=>console.log('phone ERR',e.message))
await ph.goto(base+'/t/'+t.token);await ph.waitForTimeout(1500);await ph.screenshot({path:'look-out/live-phone.png'})
await ph.getByText('材料清单').click();await ph.waitForTimeout(800);await ph.screenshot({path:'look-out/live-phone-m.png'});await ph.keyboard.press('Escape')
const p2=await pc.newPage();await p2.goto(base+'/t/'+t2.token);await p2.waitForTimeout(800);await p2.getByText('我要取消').click();await p2.getByText('取消这个号').click();await p2.waitForTimeout(800);console.log('cancelled:',(await p2.textContent('.eta')))
const at=Date.now();const called=call('POST','windows/1/call-next',{});await hall.getByText(t.ticket.number).first().waitFor();console.log('hall shows after',Date.now()-at,'ms');await called
await hall.waitForTimeout(1200);await hall.screenshot({path:'look-out/live-hall.png'});await win.screenshot({path:'look-out/live-window.png'});await ph.screenshot({path:'look-out/live-phone-called.png'})
await call('POST','windows/1/arrive',{});await win.waitForTimeout(600);await win.screenshot({path:'look-out/live-window2.png'})
await call('POST','windows/1/finish',{});await win.waitForTimeout(900);await win.screenshot({path:'look-out/live-window3.png'});await ph.waitForTimeout(500);await ph.getByText('评价这次服务').click();await ph.waitForTimeout(1200);await ph.getByText('非常不满意').click();await ph.getByText('提交评价').click();await ph.getByText('服务态度差效率低').click();await ph.getByText('提交评价').click();await ph.waitForTimeout(1000);await ph.screenshot({path:'look-out/live-rated.png'});console.log('rated:',await ph.textContent('h1'))
await ph.reload();await ph.waitForTimeout(1000);console.log('again:',await ph.textContent('h1'))
console.log('foreign',foreign)
await b.close()
