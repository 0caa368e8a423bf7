import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { certainType } from './contentSignatures.ts'
import { decideContentType } from './sniffContent.ts'
import {
  box,
  isoMedia,
  join,
  latin1,
  noise,
  type StartName,
  starts,
  utf16,
  utf8,
  zipWith,
} from './testing/realStarts.ts'

const word = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'
const sheet = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
const slides = 'application/vnd.openxmlformats-officedocument.presentationml.presentation'
const program = 'application/vnd.microsoft.portable-executable'
const same = null

/**
 * Files as their programs write them, with the names and types that Windows, macOS, Linux, Chrome, Firefox, Python and
 * curl give them, and the type under which they are kept: `same` is the declared one.
 */
const honest: readonly (readonly [StartName | Uint8Array, name: string, declared: string, kept: string | null])[] = [
  // Images, also those of phones and chats that carry the extension of another format.
  ['png', 'a.png', 'image/png', same],
  ['png', 'a.png', 'IMAGE/PNG; a=b', 'image/png'],
  ['png', 'a.png', 'image/x-png', 'image/png'],
  ['png', 'IMG_0001.jpg', 'image/jpeg', 'image/png'],
  ['png', 'favicon.ico', 'image/x-icon', 'image/png'],
  ['png', 'photo', '', 'image/png'],
  ['png', 'note.txt', 'text/plain', 'image/png'],
  ['jpeg', 'a.jpg', 'image/jpeg', same],
  ['jpeg', 'a.jpg', 'image/pjpeg', 'image/jpeg'],
  ['jpegOfPhone', 'a.png', 'image/png', 'image/jpeg'],
  ['jpeg', 'a.mpo', 'image/mpo', same],
  ['jpeg', 'a.jfif', '', 'image/jpeg'],
  ['gif', 'a.gif', 'image/gif', same],
  ['gif', 'a.png', 'image/png', 'image/gif'],
  ['webp', 'a.webp', 'image/webp', same],
  ['webp', 'a.jpg', 'image/jpeg', 'image/webp'],
  ['webp', 'a.webp', '', 'image/webp'],
  ['bmp', 'a.bmp', 'image/x-ms-bmp', 'image/bmp'],
  ['icon', 'a.ico', 'image/x-icon', 'image/vnd.microsoft.icon'],
  ['icon', 'a.ico', '', 'image/vnd.microsoft.icon'],
  ['heic', 'a.heic', 'image/heic', same],
  ['heic', 'IMG_0002.JPG', 'image/jpeg', 'image/heic'],
  ['heic', 'a.heic', '', 'image/heic'],
  ['heif', 'a.heic', 'image/heic', same],
  ['heif', 'a.heif', 'image/heif', same],
  ['avif', 'a.avif', 'image/avif', same],
  ['avifGeneral', 'a.avif', 'image/avif', same],
  ['avifSequence', 'a.avif', 'image/avif-sequence', 'image/avif'],
  ['jxl', 'a.jxl', 'image/jxl', same],
  ['jxlStream', 'a.jxl', '', 'image/jxl'],
  ['tiff', 'a.tif', 'image/tiff', same],
  ['tiffBig', 'a.tif', 'image/x-tiff', 'image/tiff'],
  ['bigTiff', 'a.tif', 'image/tiff', same],
  ['tiff', 'a.svs', '', 'image/tiff'],
  ['tiff', 'a.dng', 'image/x-adobe-dng', same],
  ['tiff', 'a.nef', 'image/x-nikon-nef', same],
  ['tiff', 'a.pef', 'image/x-pentax-pef', same],
  ['canonRaw', 'a.cr2', 'image/x-canon-cr2', same],
  ['canonRaw', 'a.cr2', 'image/tiff', same],
  ['canonRaw3', 'a.cr3', 'image/x-canon-cr3', same],
  ['photoshop', 'a.psd', 'application/x-photoshop', 'image/vnd.adobe.photoshop'],
  [utf8('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'a.svg', 'image/svg+xml', same],
  [utf8('<?xml version="1.0"?><svg/>'), 'a.svg', 'text/xml', 'image/svg+xml'],
  [new Uint8Array(gzipSync('<svg/>')), 'a.svgz', 'image/svg+xml', 'application/gzip'],
  // Sound and movies.
  ['mp4', 'a.mp4', 'video/mp4', same],
  ['mp4', 'a.m4v', 'video/x-m4v', 'video/mp4'],
  ['mp4', 'a.mov', 'video/quicktime', same],
  ['mp4', 'a.m4a', 'audio/x-m4a', 'audio/mp4'],
  ['mp4', 'a.m4a', 'video/mp4', 'audio/mp4'],
  ['mp4', 'a.mp4', 'application/mp4', same],
  ['mp4', 'a.avi', 'video/x-msvideo', 'video/mp4'],
  ['mp4Fragment', 'a.m4s', 'video/iso.segment', same],
  ['mp4Fragment', 'a.mp4', 'video/mp4', same],
  ['mp4Sidx', 'a.mp4', 'video/mp4', same],
  ['mp4Emsg', 'a.mp4', 'video/mp4', same],
  ['mp4Prft', 'a.mp4', 'video/mp4', same],
  [isoMedia('isom', 'mif1', 'mp42'), 'live.mp4', 'video/mp4', same],
  [isoMedia('Xyz1', 'abcd'), 'a.mp4', 'video/mp4', same],
  ['m4a', 'a.m4a', 'audio/mp4', same],
  ['m4a', 'a.m4a', '', 'audio/mp4'],
  ['m4a', 'a.mp4', 'video/mp4', same],
  ['quickTime', 'a.mov', 'video/quicktime', same],
  ['quickTimeWide', 'a.mov', 'video/quicktime', same],
  ['quickTimeFree', 'a.mov', 'video/quicktime', same],
  ['quickTimeSkip', 'a.mov', 'video/quicktime', same],
  ['quickTimeWide', 'a.mp4', 'video/mp4', same],
  [box('pnot', new Uint8Array(12)), 'a.mov', 'video/quicktime', same],
  ['threeGp', 'a.3gp', 'video/3gpp', same],
  ['threeGp', 'a.amr', 'audio/3gpp', same],
  ['threeGp', 'a.mp4', 'video/mp4', same],
  ['f4v', 'a.f4v', 'video/x-f4v', same],
  ['webm', 'a.webm', 'video/webm', same],
  ['webm', 'a.webm', 'video/webm;codecs=vp9,opus', 'video/webm; codecs="vp9,opus"'],
  ['webm', 'a.weba', 'audio/webm', same],
  ['webm', 'a.mkv', 'video/x-matroska', 'video/matroska'],
  ['matroska', 'a.mkv', 'video/x-matroska', 'video/matroska'],
  ['matroska', 'a.webm', 'video/webm', same],
  ['matroska', 'a.mka', 'audio/x-matroska', 'audio/matroska'],
  ['avi', 'a.avi', 'video/avi', 'video/vnd.avi'],
  ['flv', 'a.flv', 'video/x-flv', same],
  ['mpegProgram', 'a.mpg', 'video/mpeg', same],
  ['mpegProgram', 'a.vob', '', 'video/mpeg'],
  ['transport', 'a.ts', 'video/mp2t', same],
  ['transport', 'a.ts', 'video/vnd.dlna.mpeg-tts', 'video/mp2t'],
  ['transport', 'a.ts', '', 'video/mp2t'],
  ['transportOfCamera', '00001.mts', 'video/vnd.dlna.mpeg-tts', 'video/mp2t'],
  ['transportOfCamera', '00001.m2ts', '', 'video/mp2t'],
  ['wav', 'a.wav', 'audio/x-wav', 'audio/wav'],
  ['waveOf64Bits', 'a.wav', 'audio/wav', same],
  ['waveOfBroadcast', 'a.wav', 'audio/vnd.wave', 'audio/wav'],
  ['mp3', 'a.mp3', 'audio/mpeg', same],
  ['mp3', 'a.mp3', 'audio/mp3', 'audio/mpeg'],
  ['mp3', 'a.wav', 'audio/wav', same],
  ['mp3', 'a.mp4', 'video/mp4', same],
  ['mp3Frames', 'a.mp3', 'audio/mpeg', same],
  ['mp3Frames', 'a.wav', 'audio/wav', same],
  [new Uint8Array(4_100), 'a.mp3', 'audio/mpeg', same],
  ['adts', 'a.aac', 'audio/vnd.dlna.adts', 'audio/aac'],
  ['adts', 'a.m4a', 'audio/mp4', same],
  ['adtsWithTag', 'a.aac', 'audio/aac', same],
  ['flac', 'a.flac', 'audio/x-flac', 'audio/flac'],
  ['opus', 'a.opus', 'audio/ogg', same],
  ['opus', 'a.opus', 'audio/opus', 'audio/ogg'],
  ['opus', 'a.ogg', 'video/ogg', same],
  ['vorbis', 'a.ogg', 'application/ogg', same],
  ['vorbis', 'a.ogg', '', 'audio/ogg'],
  ['speex', 'a.spx', 'audio/ogg', same],
  ['theora', 'a.ogg', 'audio/ogg', same],
  ['theora', 'a.ogv', 'video/ogg', same],
  ['aiff', 'a.aif', 'audio/x-aiff', 'audio/aiff'],
  ['midi', 'a.mid', 'audio/mid', 'audio/midi'],
  ['amr', 'a.amr', 'audio/amr', same],
  // Documents.
  ['pdf', 'a.pdf', 'application/pdf', same],
  ['pdf', 'a.pdf', 'application/x-pdf', 'application/pdf'],
  ['pdf', 'a.pdf', 'text/plain', 'application/pdf'],
  ['pdf', 'a.pdf', 'binary/octet-stream', 'application/pdf'],
  ['pdf', 'a.pdf', 'application/force-download', 'application/pdf'],
  ['pdf', 'a.ai', 'application/postscript', 'application/pdf'],
  ['pdf', 'a.ai', 'application/illustrator', 'application/pdf'],
  ['pdf', 'a.doc', 'application/msword', 'application/pdf'],
  ['pdfOfText', 'a.pdf', 'application/pdf', same],
  ['pdfOfText', 'a.txt', 'text/plain', 'application/pdf'],
  [join(utf8('\ufeff\n'), starts.pdf), 'a.pdf', 'application/pdf', same],
  [join(utf8('HTTP/1.1 200 OK\r\n\r\n'), starts.pdf), 'a.pdf', 'application/pdf', same],
  ['epsOfDos', 'a.eps', 'application/postscript', same],
  ['epsOfDos', 'a.eps', 'image/x-eps', 'application/postscript'],
  [utf8('%!PS-Adobe-3.0 EPSF-3.0\n'), 'a.ai', 'application/postscript', same],
  ['docx', 'a.docx', word, same],
  ['docx', 'a.docx', '', word],
  ['docx', 'a.docx', 'application/msword', word],
  ['docx', 'a.doc', 'application/msword', word],
  ['docx', 'a.zip', 'application/zip', same],
  ['docx', 'a.xlsx', sheet, word],
  ['docxPlain', 'a.docx', word, same],
  ['xlsx', 'a.xlsx', sheet, same],
  ['xlsx', 'a.xls', 'application/vnd.ms-excel', sheet],
  ['xlsx', 'a.xlsx', 'application/vnd.ms-excel', sheet],
  ['xlsx', 'a.xlsm', 'application/vnd.ms-excel.sheet.macroenabled.12', sheet],
  ['pptx', 'a.pptx', slides, same],
  ['compound', 'behind a password.docx', word, same],
  ['compound', 'a.doc', 'application/msword', same],
  ['compound', 'a.xls', 'application/vnd.ms-excel', same],
  ['compound', 'a.msg', 'application/vnd.ms-outlook', same],
  ['compound', 'a.vsd', 'application/vnd.visio', same],
  ['compound', 'setup.msi', 'application/x-msdownload', 'application/x-msi'],
  ['compound', 'setup.msi', '', 'application/x-cfb'],
  [utf8('{\\rtf1\\ansi\\deff0'), 'a.doc', 'application/msword', same],
  [utf8('<html><table><tr><td>1'), 'a.xls', 'application/vnd.ms-excel', same],
  [utf8('a\tb\n1\t2\n'), 'a.xls', 'application/vnd.ms-excel', same],
  [utf8('a;b\n1;2\n'), 'a.csv', 'application/vnd.ms-excel', 'text/csv'],
  ['odt', 'a.odt', 'application/vnd.oasis.opendocument.text', same],
  ['zip', 'a.odt', 'application/vnd.oasis.opendocument.text', same],
  ['epub', 'a.epub', 'application/epub+zip', same],
  ['zip', 'a.epub', 'application/epub+zip', same],
  ['pages', 'a.pages', 'application/vnd.apple.pages', same],
  ['pages', 'a.pages', '', 'application/zip'],
  ['pages', 'a.key', 'application/x-iwork-keynote-sffkey', 'application/vnd.apple.keynote'],
  [utf8('-----BEGIN PRIVATE KEY-----\n'), 'a.key', 'application/vnd.apple.keynote', same],
  // Archives and disk images.
  ['zip', 'a.zip', 'application/zip', same],
  ['zip', 'a.zip', 'application/x-zip-compressed', 'application/zip'],
  ['zip', 'a.zip', 'application/x-compressed', 'application/zip'],
  ['emptyZip', 'a.zip', 'application/zip', same],
  ['spannedZip', 'a.zip', 'application/zip', same],
  ['zip', 'a.rar', 'application/x-rar-compressed', 'application/zip'],
  ['zip', 'a.cbr', 'application/x-cbr', same],
  ['zip', 'a.sketch', 'application/x-sketch', same],
  ['zip', 'a.kmz', 'application/vnd.google-earth.kmz', same],
  ['zip', 'a.kmz', 'application/vnd.google-earth.kml+xml', 'application/zip'],
  ['jar', 'a.jar', 'application/java-archive', same],
  ['jar', 'a.zip', 'application/zip', same],
  ['jar', 'a.apk', 'application/vnd.android.package-archive', same],
  ['zip', 'a.apk', 'application/vnd.android.package-archive', same],
  ['apk', 'a.apk', 'application/vnd.android.package-archive', same],
  [utf8('#!/bin/sh\nexec java -jar "$0"\n'), 'a.jar', 'application/java-archive', same],
  ['gzip', 'a.gz', 'application/x-gzip', 'application/gzip'],
  ['gzip', 'a.tgz', 'application/x-compressed-tar', 'application/gzip'],
  ['gzip', 'a.tar.gz', 'application/x-tar', 'application/gzip'],
  ['gzip', 'data.json.gz', 'application/json', 'application/gzip'],
  ['gzip', 'report.pdf.gz', 'application/pdf', 'application/gzip'],
  ['gzip', 'a.dia', 'application/x-dia-diagram', same],
  ['gzip', 'book.gnucash', 'application/x-gnucash', same],
  ['bzip2', 'a.bz2', 'application/x-bzip', 'application/x-bzip2'],
  ['bzip2', 'a.dmg', 'application/x-apple-diskimage', same],
  ['xz', 'a.csv.xz', 'text/csv', 'application/x-xz'],
  ['zstd', 'a.zst', '', 'application/zstd'],
  ['sevenZip', 'a.7z', 'application/x-7z-compressed', same],
  ['sevenZip', 'a.zip', 'application/x-zip-compressed', 'application/x-7z-compressed'],
  ['rar', 'a.rar', 'application/octet-stream', 'application/vnd.rar'],
  ['tar', 'a.tar', 'application/x-tar', same],
  ['tar', 'a.ova', 'application/ovf', same],
  ['cabinet', 'a.cab', 'application/vnd.ms-cab-compressed', same],
  ['deb', 'a.deb', 'application/x-debian-package', 'application/vnd.debian.binary-package'],
  ['rpm', 'a.rpm', 'application/x-rpm', same],
  [new Uint8Array(4_100), 'a.iso', 'application/x-cd-image', 'application/x-iso9660-image'],
  [latin1('\x78\x01\x73\x0d\x62\x62\x60\x60'), 'a.dmg', 'application/x-apple-diskimage', same],
  [noise(4_100), 'firmware.bin', 'application/macbinary', same],
  ['sqlite', 'a.gpkg', 'application/geopackage+sqlite3', same],
  ['sqlite', 'a.db', '', 'application/vnd.sqlite3'],
  ['epub', 'a.mcworld', 'application/x-minecraft-world', 'application/epub+zip'],
  // Text, whatever it starts with and however it is encoded.
  [utf8('a'), 'a.txt', 'text/plain', same],
  [new Uint8Array(0), 'a.png', 'image/png', same],
  [new Uint8Array(0), 'a.txt', '', 'text/plain'],
  [new Uint8Array(0), 'Makefile', '', 'application/octet-stream'],
  [Uint8Array.of(0), 'a', '', 'application/octet-stream'],
  [latin1('caf\xe9 \xfc\xff\n'), 'a.txt', 'text/plain', same],
  [utf16('\ufeffhallo'), 'a.txt', 'text/plain', same],
  [utf16('hallo Welt\r\n'), 'a.txt', 'text/plain', same],
  [utf16('Name\tWert\r\n'), 'a.csv', 'text/csv', same],
  [utf16('Name\tWert\r\n'), 'a.csv', 'application/vnd.ms-excel', 'text/csv'],
  [utf16('{"a":1}'), 'a.json', 'application/json', same],
  [utf16('<?xml version="1.0" encoding="UTF-16"?>'), 'a.xml', 'text/xml', 'application/xml'],
  [utf16('BEGIN:VCARD\r\n'), 'a.vcf', 'text/x-vcard', 'text/vcard'],
  [utf16('BEGIN:VCALENDAR\r\n'), 'a.ics', 'text/calendar', same],
  [utf16('1\r\n00:00:01,000 --> 00:00:02,000\r\n'), 'a.srt', 'application/x-subrip', same],
  [utf16('GGGG'.repeat(600)), 'a.txt', 'text/plain', same],
  [utf8('é').subarray(0, 1), 'a.txt', 'text/plain', same],
  [utf8('\u001b[31mred\u001b[0m\n'), 'a.log', 'text/plain', same],
  [join(utf8('12:00 start\n'), new Uint8Array(2_000), utf8('12:05 start\n')), 'a.log', 'text/plain', same],
  [join(utf8('MAC 00:11:22:33 joined the network\n'), new Uint8Array(900)), 'a.log', 'text/plain', same],
  [join(utf8('%PDF-1.7 is the header\n'), new Uint8Array(900)), 'a.log', 'text/plain', same],
  [join(utf8('OggS stream opened by the player\n'), new Uint8Array(90)), 'a.log', 'text/plain', same],
  [new Uint8Array(4_100), 'a.log', 'text/plain', same],
  [join(noise(7), latin1('\x01\x01\x19\x01\0\0\0\0\0\0\0\0\x02')), '000003.log', 'text/plain', same],
  [join(noise(7), latin1('\x01\x01\x19\x01\0\0\0\0\0\0\0\0\x02')), '000003.log', '', 'application/octet-stream'],
  [latin1('\x80\x04\x95\x1a\0\0\0\0\0\0\0}\x94(\x8c\x04name'), 'a.p', 'text/x-pascal', same],
  [latin1('\x80\x04\x95\x1a\0\0\0\0\0\0\0}\x94(\x8c\x04name'), 'a.pickle', '', 'application/octet-stream'],
  [utf8('%PDF-1.7 is the header\n'), 'a.txt', 'text/plain', same],
  [utf8('%PDF-1.7\nis the header of a PDF\n'), 'a.txt', 'text/plain', same],
  [utf8('PK,name\n1,a\n'), 'a.csv', 'text/csv', same],
  [utf8('MZ;Name\n1;a\n'), 'a.csv', 'text/csv', same],
  [utf8('BMW,price\n'), 'a.csv', 'text/csv', same],
  [utf8('GIF89a is a format\n'), 'a.md', 'text/markdown', same],
  [utf8('ID3 tags\n'), 'a.md', 'text/markdown', same],
  [utf8('RIFF, WAVE and others\n'), 'a.txt', 'text/plain', same],
  [utf8('FORM follows function\n'), 'a.txt', 'text/plain', same],
  [utf8('#!/usr/bin/env tsx\nimport a from "a"\n'), 'a.ts', 'video/vnd.dlna.mpeg-tts', 'text/x-typescript'],
  [utf8('export const a = 1\n'), 'a.ts', 'video/mp2t', 'text/x-typescript'],
  [utf8('export const a = 1\n'), 'a.mts', 'video/mp2t', 'text/x-typescript'],
  [utf8('export const a = 1\n'), 'a.ts', '', 'text/x-typescript'],
  [utf8('<?xml version="1.0"?><TS/>'), 'de.ts', 'text/vnd.trolltech.linguist', same],
  [utf8('# title\n'), 'a.md', '', 'text/markdown'],
  [utf8('# title\n'), 'a.md', 'application/x-genesis-rom', 'text/markdown'],
  [utf8('fn main() {}\n'), 'a.rs', 'application/rls-services+xml', 'text/x-rust'],
  [utf8('@echo off\r\n'), 'a.bat', 'application/x-msdownload', 'application/x-bat'],
  [utf8('alert(1)'), 'a.js', 'application/x-javascript', 'text/javascript'],
  [utf8('#!/bin/sh\n'), 'a.sh', 'text/x-shellscript', 'application/x-sh'],
  [utf8('#!/bin/sh\n'), 'install.run', 'application/x-makeself', same],
  [utf8('#!/bin/sh\n'), 'tool', 'application/octet-stream', same],
  [utf8('a: 1\n'), 'a.yml', 'text/x-yaml', 'application/yaml'],
  [utf8('\ufeff{"a":1}'), 'a.json', 'application/json', same],
  [utf8('<!DOCTYPE html><p>'), 'a.html', 'text/html', same],
  [utf8('version https://git-lfs.github.com/spec/v1\n'), 'a.png', 'image/png', same],
  [utf8('solid cube\nfacet normal 0 0 1\n'), 'a.stl', 'application/vnd.ms-pki.stl', 'model/stl'],
  [utf8('-----BEGIN PGP MESSAGE-----\n'), 'a.asc', 'application/pgp-encrypted', same],
  [noise(600), 'a.gpg', 'application/pgp-encrypted', same],
  [utf8('-----BEGIN CERTIFICATE-----\n'), 'a.pem', 'application/x-x509-ca-cert', same],
  [latin1('\x30\x82\x05\x41\x30\x82'), 'a.der', 'application/x-x509-ca-cert', same],
  // Fonts and programs.
  ['ttf', 'a.ttf', 'application/x-font-ttf', 'font/ttf'],
  ['ttf', 'a.otf', 'font/otf', 'font/ttf'],
  ['otf', 'a.otf', 'application/vnd.ms-opentype', 'font/otf'],
  ['otf', 'a.ttf', '', 'font/otf'],
  ['woff', 'a.woff', 'application/font-woff', 'font/woff'],
  ['woff2', 'a.woff2', 'font/woff2', same],
  [latin1('\0\x01\0\0Standard Jet DB\0'), 'a.mdb', 'application/msaccess', 'application/vnd.ms-access'],
  ['windowsProgram', 'a.exe', 'application/x-msdownload', program],
  ['windowsProgram', 'a.dll', 'application/x-msdos-program', program],
  ['windowsProgram', 'a.scr', '', program],
  ['windowsProgram', 'addin.xll', 'application/vnd.ms-excel', program],
  ['windowsProgram', 'a.x', 'application/x-our-own', program],
  ['windowsProgram', 'a.txt', 'text/plain', program],
  [join(latin1('MZ\x90\0'), new Uint8Array(60)), 'old.com', 'application/x-msdownload', program],
  ['linuxProgram', 'a', '', 'application/x-elf'],
  ['linuxProgram', 'a.so', 'application/x-sharedlib', same],
  ['linuxProgram', 'a.AppImage', 'application/x-iso9660-appimage', 'application/vnd.appimage'],
  ['appleProgram', 'a', 'application/octet-stream', 'application/x-mach-binary'],
  ['appleUniversal', 'a.dylib', '', 'application/x-mach-binary'],
  ['javaClass', 'A.class', 'application/x-java', 'application/java-vm'],
  ['wasm', 'a.wasm', 'application/wasm', same],
  [latin1('\x01\x02\x03'), 'a.x', 'application/x-our-own', same],
]

const startOf = (start: StartName | Uint8Array) => (typeof start === 'string' ? starts[start] : start)
const nameOf = (start: StartName | Uint8Array) =>
  typeof start === 'string' ? start : JSON.stringify(Buffer.from(start.subarray(0, 24)).toString('latin1'))

/** Both formats are certain, and no program writes the one for the other. */
const lies: readonly (readonly [StartName, declared: string, refusal: RegExp])[] = [
  ['windowsProgram', 'image/png', /^The content is a Windows executable, not image\/png\.$/],
  ['windowsProgram', 'application/pdf', /a Windows executable/],
  ['windowsProgram', 'application/x-zip-compressed', /a Windows executable, not application\/zip/],
  ['windowsProgram', 'video/mp4', /a Windows executable/],
  ['windowsProgram', word, /a Windows executable/],
  ['linuxProgram', 'image/jpeg', /a Linux executable/],
  ['linuxProgram', 'application/x-msdownload', /a Linux executable/],
  ['appleProgram', 'application/zip', /a macOS executable/],
  ['appleUniversal', 'application/java-vm', /a macOS executable/],
  ['zip', 'image/png', /application\/zip, not image\/png/],
  ['zip', 'application/pdf', /application\/zip/],
  ['zip', 'video/mp4', /application\/zip/],
  ['jar', 'image/gif', /application\/java-archive/],
  ['docx', 'application/pdf', /wordprocessingml/],
  ['docx', 'image/jpeg', /wordprocessingml/],
  ['compound', 'image/png', /application\/x-cfb/],
  ['compound', 'application/zip', /application\/x-cfb/],
  ['rar', 'image/webp', /application\/vnd\.rar/],
  ['sevenZip', 'audio/mpeg', /7z/],
  ['gzip', 'image/png', /application\/gzip/],
  ['tar', 'image/jpeg', /application\/x-tar/],
  ['deb', 'image/jpeg', /debian/],
  ['pdf', 'image/png', /application\/pdf, not image\/png/],
  ['pdf', 'application/zip', /application\/pdf/],
  ['pdf', word, /application\/pdf/],
  ['pdfOfText', 'image/jpeg', /application\/pdf/],
  ['png', 'application/pdf', /image\/png, not application\/pdf/],
  ['png', 'video/mp4', /image\/png/],
  ['jpeg', 'application/zip', /image\/jpeg/],
  ['gif', 'audio/mpeg', /image\/gif/],
  ['mp4', 'image/avif', /video\/mp4, not image\/avif/],
  ['mp4', 'application/pdf', /video\/mp4/],
  ['webm', 'image/png', /video\/webm/],
  ['mp3', 'image/png', /audio\/mpeg/],
  ['sqlite', 'image/png', /sqlite/],
  ['woff2', 'application/pdf', /font\/woff2/],
  ['wasm', 'image/png', /wasm/],
]

describe('decideContentType', () => {
  it.each(
    honest.map(([start, name, declared, kept]) => [nameOf(start), name, declared, kept, startOf(start)] as const),
  )('keeps %s, named %s and declared %j', async (_start, name, declared, kept, start) => {
    const contentType = declared === '' ? 'application/octet-stream' : declared
    expect(await decideContentType({ name, contentType, start })).toEqual({
      contentType: kept ?? declared,
      refusal: null,
    })
  })

  it.each(lies)('refuses %s declared as %s', async (start, declared, refusal) => {
    const decision = await decideContentType({ name: 'a.bin', contentType: declared, start: starts[start] })
    expect(decision.refusal).toMatch(refusal)
  })

  it('reads a start that is a window into a larger buffer correctly', async () => {
    const start = join(latin1('\0\0\0\0'), starts.png).subarray(4)
    expect(await decideContentType({ name: 'a.png', contentType: 'image/png', start })).toMatchObject({
      contentType: 'image/png',
      refusal: null,
    })
  })

  it('recognises the program that runs this test', async () => {
    const start = (await readFile(process.execPath)).subarray(0, 4_100)
    expect(await decideContentType({ name: 'a', contentType: 'image/png', start })).toMatchObject({
      refusal: 'The content is a Linux executable, not image/png.',
    })
  })
})

describe('certainType', () => {
  it('is null for random bytes', async () => {
    for (let seed = 1; seed <= 500; seed += 1) expect(await certainType(noise(4_100, seed))).toBeNull()
  })

  it('is null for any text except a PDF', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 200 }), async (text) => {
        expect(await certainType(utf8(text.replace(/\p{Cc}/gu, ' ')))).toBeNull()
      }),
      { seed: 7 },
    )
  })

  it('returns for any truncated or damaged start', async () => {
    for (const whole of Object.values(starts)) {
      const short = whole.subarray(0, 120)
      for (let length = 0; length <= short.length; length += 1) await certainType(short.subarray(0, length))
      for (let index = 0; index < short.length; index += 3) {
        const broken = short.slice()
        broken[index] = 0xff
        await certainType(broken)
      }
    }
  })

  it('takes little time for crafted starts', async () => {
    const size = 4_100
    const fill = (pattern: Uint8Array, head = new Uint8Array(0)) =>
      join(head, ...Array.from({ length: Math.ceil(size / pattern.length) }, () => pattern)).subarray(0, size)
    const entry = zipWith(['', ''])
    entry[6] = 8
    const hostile = [
      new Uint8Array(gzipSync(Buffer.alloc(4_000_000))).subarray(0, size),
      fill(entry),
      fill(utf8('\ufeff'), utf8('\ufeff')),
      fill(latin1('ID3\x03\0\0\0\0\0\0')),
      fill(latin1('\n'), latin1('%PDF-1.7\n')),
      fill(latin1('\n1 '), latin1('%PDF-1.7\n')),
      fill(latin1('1'), latin1('%PDF-1.7\n\0')),
      fill(latin1('\n%a'), latin1('%PDF-1.7\n\0')),
      fill(latin1('\0\0\0\0tEXt'), starts.png.subarray(0, 33)),
      fill(latin1('\xec\x80'), latin1('\x1a\x45\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xff')),
      fill(latin1('G')),
      fill(latin1('{"files":['), latin1('\x04\0\0\0\0\0\0\0\0\0\0\0\xe0\x0f\0\0')),
    ]
    for (const start of hostile) {
      const before = process.cpuUsage()
      await certainType(start)
      const { user, system } = process.cpuUsage(before)
      expect((user + system) / 1_000).toBeLessThan(100)
    }
  })
})
