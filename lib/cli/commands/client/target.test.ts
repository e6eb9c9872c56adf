// A command's words → host and profile; the folder of profiles on each system.
import t from 'tap'
import { profileFolder, readTarget } from './target.js'

const folderOf = (platform: NodeJS.Platform, env: NodeJS.ProcessEnv, home: string): string =>
  profileFolder(env, platform, home)

t.test('the folder of profiles depends on the environment', async (t) => {
  t.equal(folderOf('linux', {}, '/home/ana'), '/home/ana/.config/knocklib')
  t.equal(folderOf('linux', { XDG_CONFIG_HOME: '/cfg' }, '/home/ana'), '/cfg/knocklib')
  // The specification: a path that is not absolute is ignored.
  const relative = { XDG_CONFIG_HOME: 'cfg', APPDATA: '/data' }
  t.equal(folderOf('linux', relative, '/home/ana'), '/home/ana/.config/knocklib')
  t.equal(folderOf('darwin', { XDG_CONFIG_HOME: '' }, '/Users/ana'), '/Users/ana/.config/knocklib')
  const home = 'C:\\Users\\ana'
  const roaming = { APPDATA: `${home}\\AppData\\Roaming` }
  t.equal(folderOf('win32', roaming, home), `${home}\\AppData\\Roaming\\knocklib`)
  t.equal(folderOf('win32', {}, home), `${home}\\.config\\knocklib`)
  t.equal(folderOf('win32', { ...roaming, XDG_CONFIG_HOME: 'D:\\cfg' }, home), 'D:\\cfg\\knocklib')
})

t.test('a name is looked up in that folder, with each file extension', async (t) => {
  const folder = t.testdir({
    knocklib: { 'home.json': '{}', 'home.yaml': '{}', 'work.yml': '{}', 'lab.json': '{}' },
  })
  const env = { XDG_CONFIG_HOME: folder }
  const profileOf = async (name: string) => (await readTarget('knock', [name], {}, env)).profile
  t.equal(await profileOf('home'), `${folder}/knocklib/home.yaml`)
  t.equal(await profileOf('work'), `${folder}/knocklib/work.yml`)
  t.equal(await profileOf('lab'), `${folder}/knocklib/lab.json`)
  const expected = /^knock: expected steps, --profile, or the name of a profile in .*, got /
  for (const name of ['none', '../knocklib/home', '.', 'home.yaml']) {
    await t.rejects(profileOf(name), { code: 'invalid-argument', message: expected }, name)
  }
})
