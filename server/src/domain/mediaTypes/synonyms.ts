/**
 * Media types with several names. Each line starts with the name that Filegraph stores. The other names mean the same
 * and are used by browsers, operating systems, HTTP libraries and older standards.
 *
 * The first name is the one in the IANA registry if the format is registered, otherwise the one that browsers use. No
 * package covers this: `mime-db` maps extensions and has no synonyms. A synonym is in one line only and is never the
 * first name of another. A test checks both rules.
 */
const lines = `
application/octet-stream: binary/octet-stream application/binary application/x-binary application/octetstream application/octet_stream application/x-octet-stream application/unknown application/x-unknown application/x-unknown-content-type unknown/unknown content/unknown application/x-download application/x-downloadload application/download application/force-download application/x-force-download application/save-as

application/zip: application/x-zip application/x-zip-compressed application/zip-compressed application/x-zip-file application/x-zipcompressed multipart/x-zip
application/gzip: application/x-gzip application/x-gzip-compressed application/gzipped application/gzip-compressed application/x-gunzip gzip/document application/x-tgz application/x-compressed-tar application/x-gtar-compressed application/x-gzip-compressed-tar application/tar+gzip
application/x-tar: application/tar application/x-gtar application/x-ustar multipart/x-tar
application/vnd.rar: application/x-rar application/x-rar-compressed application/rar application/x-rar-archive
application/x-7z-compressed: application/x-7z application/x-7zip application/x-7zip-compressed application/7z application/x-sevenzip
application/x-bzip2: application/bzip2 application/x-bz2 application/bz2 application/x-bzip application/bzip application/x-bzip-compressed-tar application/x-bzip2-compressed-tar
application/x-xz: application/xz application/x-xz-compressed-tar
application/zstd: application/x-zstd application/x-zstd-compressed-tar application/x-zst
application/x-lz4: application/lz4 application/x-lz4-compressed-tar
application/x-lzip: application/lzip application/x-lz
application/x-compress: application/x-compress-tar application/x-tarz
application/vnd.ms-cab-compressed: application/x-cab application/x-cab-compressed application/vnd.ms-cab zz-application/zz-winassoc-cab
application/x-lzh-compressed: application/x-lha application/x-lzh application/x-lzh-archive application/lha
application/x-ace-compressed: application/x-ace
application/x-arj: application/arj application/x-arj-compressed
application/vnd.debian.binary-package: application/x-deb application/x-debian-package application/deb
application/x-rpm: application/x-redhat-package-manager application/x-redhat-package application/x-rpm-package
application/java-archive: application/x-java-archive application/x-jar application/jar
application/x-iso9660-image: application/x-cd-image application/x-iso-image application/x-iso application/vnd.efi.iso
application/x-apple-diskimage: application/x-dmg application/apple-diskimage
application/x-stuffit: application/stuffit application/x-sit application/x-stuffitx application/x-sitx
application/x-bittorrent: application/bittorrent application/x-torrent

application/pdf: application/x-pdf application/acrobat application/nappdf applications/vnd.pdf application/vnd.pdf image/pdf
application/msword: application/vnd.ms-word application/vnd.msword application/doc application/x-doc application/x-msword application/x-ms-word application/winword application/x-winword application/word application/ms-word application/x-msw6 application/x-msword-doc zz-application/zz-winassoc-doc
application/vnd.ms-excel: application/msexcel application/x-msexcel application/x-ms-excel application/ms-excel application/x-excel application/excel application/xls application/x-xls application/x-dos_ms_excel application/x-ms-xls zz-application/zz-winassoc-xls
application/vnd.ms-powerpoint: application/mspowerpoint application/x-mspowerpoint application/ms-powerpoint application/powerpoint application/x-powerpoint application/vnd-mspowerpoint application/x-ms-powerpoint application/ppt application/x-ppt
application/vnd.openxmlformats-officedocument.wordprocessingml.document: application/docx application/x-docx application/vnd.openxmlformats-officedocument.wordprocessingml
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet: application/xlsx application/x-xlsx application/vnd.openxmlformats-officedocument.spreadsheetml
application/vnd.openxmlformats-officedocument.presentationml.presentation: application/pptx application/x-pptx application/vnd.openxmlformats-officedocument.presentationml
application/vnd.oasis.opendocument.text: application/x-vnd.oasis.opendocument.text
application/vnd.oasis.opendocument.spreadsheet: application/x-vnd.oasis.opendocument.spreadsheet
application/vnd.oasis.opendocument.presentation: application/x-vnd.oasis.opendocument.presentation
application/vnd.oasis.opendocument.graphics: application/x-vnd.oasis.opendocument.graphics
application/vnd.ms-access: application/msaccess application/x-msaccess application/mdb application/x-mdb application/vnd.msaccess zz-application/zz-winassoc-mdb
application/vnd.visio: application/x-visio application/visio application/visio.drawing application/vnd.ms-visio.drawing application/x-vsd
application/vnd.ms-outlook: application/outlook application/x-outlook-msg application/x-msg
application/vnd.apple.keynote: application/x-iwork-keynote-sffkey application/keynote
application/vnd.apple.pages: application/x-iwork-pages-sffpages
application/vnd.apple.numbers: application/x-iwork-numbers-sffnumbers
application/vnd.wordperfect: application/wordperfect application/x-wordperfect
application/rtf: text/rtf application/x-rtf text/x-rtf
application/epub+zip: application/epub application/x-epub+zip application/x-epub
application/vnd.ms-xpsdocument: application/xps
application/postscript: application/ps application/x-postscript application/eps application/x-eps image/eps image/x-eps application/postscript-eps
application/vnd.adobe.illustrator: application/illustrator application/x-illustrator
application/vnd.ms-htmlhelp: application/x-chm application/chm
application/vnd.sqlite3: application/x-sqlite3 application/x-sqlite application/sqlite3
application/vnd.tcpdump.pcap: application/pcap application/x-pcap

text/plain: text/x-plain text/txt application/txt application/x-txt application/text
text/csv: text/x-csv application/csv application/x-csv text/comma-separated-values text/x-comma-separated-values
text/tab-separated-values: text/tsv text/x-tsv text/x-tab-separated-values application/tsv
text/markdown: text/x-markdown text/x-web-markdown application/markdown application/x-markdown
text/html: text/x-html application/html
application/xhtml+xml: application/xhtml
application/xml: text/xml application/x-xml text/x-xml
application/xml-dtd: text/x-dtd application/x-dtd
application/json: text/json text/x-json application/x-json
application/geo+json: application/vnd.geo+json
application/x-ndjson: application/ndjson text/x-ndjson application/jsonl application/x-jsonl application/jsonlines application/x-jsonlines application/x-json-lines
application/yaml: text/yaml text/x-yaml application/x-yaml text/vnd.yaml
application/toml: text/toml text/x-toml application/x-toml
text/css: application/x-css application/css
text/javascript: application/javascript application/x-javascript text/x-javascript application/ecmascript application/x-ecmascript text/ecmascript text/x-ecmascript text/jscript text/livescript text/javascript1.0 text/javascript1.1 text/javascript1.2 text/javascript1.3 text/javascript1.4 text/javascript1.5
application/x-sh: application/x-shellscript text/x-sh text/x-shellscript application/x-bash text/x-bash application/x-shell-script text/x-script.sh
text/x-python: text/x-script.python application/x-python text/python text/x-python-script text/x-python3 application/x-python-script
text/x-perl: application/x-perl text/x-script.perl text/perl
text/x-typescript: application/typescript application/x-typescript text/typescript text/x.typescript
application/x-httpd-php: text/php text/x-php application/php application/x-php text/x-httpd-php application/x-httpd-php-source
application/sql: text/x-sql text/sql application/x-sql
text/calendar: application/ics text/x-vcalendar application/calendar text/ical application/x-ical
text/vcard: text/x-vcard text/directory application/vcard application/x-vcard
text/vtt: application/vtt text/x-vtt
application/x-subrip: application/x-srt text/srt text/x-srt text/x-subrip application/srt
text/x-diff: text/x-patch text/patch text/diff application/x-patch
text/x-c: text/x-csrc text/x-c++ text/x-c++src text/x-chdr text/x-c++hdr
text/x-java-source: text/x-java text/java application/x-java-source
application/x-tex: text/x-tex application/x-latex text/x-latex application/tex
application/rss+xml: text/rss application/x-rss+xml text/rss+xml
application/mathml+xml: text/mathml
application/rdf+xml: text/rdf text/rdf+xml
application/gpx+xml: application/gpx application/x-gpx+xml application/x-gpx
application/vnd.google-earth.kml+xml: application/kml+xml application/x-kml+xml
application/vnd.google-earth.kmz: application/kmz application/x-kmz
application/xliff+xml: application/x-xliff+xml application/x-xliff

image/jpeg: image/jpg image/pjpeg image/x-jpeg image/x-jpg image/jfif image/pjp image/x-citrix-jpeg application/jpg application/x-jpg application/jpeg
image/png: image/x-png image/x-citrix-png application/png application/x-png
image/apng: image/vnd.mozilla.apng image/x-apng
image/gif: image/x-gif image/x-citrix-gif application/gif
image/webp: image/x-webp application/webp
image/avif: image/avif-sequence image/x-avif
image/bmp: image/x-bmp image/x-ms-bmp image/x-windows-bmp image/x-bitmap image/x-win-bitmap application/bmp application/x-bmp
image/tiff: image/tif image/x-tiff image/x-tif application/tiff application/x-tiff application/tif application/x-tif
image/svg+xml: image/svg image/svg-xml image/x-svg+xml image/vnd.adobe.svg+xml text/xml-svg application/svg+xml application/svg
image/vnd.microsoft.icon: image/x-icon image/ico image/icon image/x-ico application/ico application/x-ico text/ico
image/vnd.adobe.photoshop: image/psd image/x-psd image/photoshop image/x-photoshop application/photoshop application/x-photoshop application/psd application/x-psd zz-application/zz-winassoc-psd
image/vnd.djvu: image/x-djvu image/x.djvu image/djvu image/vnd.djvu+multipage
image/emf: application/emf application/x-emf image/x-emf
image/wmf: application/wmf application/x-wmf image/x-wmf application/x-msmetafile image/x-win-metafile
image/jp2: image/jpeg2000 image/jpeg2000-image image/x-jpeg2000-image
image/jxl: image/x-jxl
image/vnd.ms-photo: image/jxr
image/x-tga: image/tga image/targa image/x-targa application/tga application/x-tga application/x-targa
image/vnd.dwg: image/x-dwg application/acad application/x-acad application/autocad_dwg application/dwg application/x-dwg application/x-autocad drawing/x-dwg application/autocad
image/vnd.dxf: image/x-dxf application/dxf application/x-dxf
image/x-adobe-dng: image/dng
image/vnd.zbrush.pcx: image/x-pcx image/pcx

audio/mpeg: audio/mp3 audio/x-mp3 audio/x-mpeg audio/mpeg3 audio/x-mpeg-3 audio/x-mpeg3 audio/mpg audio/x-mpg audio/x-mpegaudio
audio/mp4: audio/m4a audio/x-m4a audio/x-mp4 audio/x-m4b audio/mp4a-latm
audio/aac: audio/x-aac audio/aacp audio/x-hx-aac-adts audio/vnd.dlna.adts audio/x-aacp
audio/wav: audio/x-wav audio/wave audio/x-wave audio/vnd.wave audio/x-pn-wav
audio/flac: audio/x-flac application/x-flac
audio/ogg: audio/x-ogg audio/vorbis audio/x-vorbis audio/x-vorbis+ogg audio/opus audio/x-opus+ogg audio/x-opus audio/x-speex audio/x-speex+ogg audio/x-flac+ogg audio/x-oggflac
audio/aiff: audio/x-aiff sound/aiff audio/x-pn-aiff audio/x-aifc audio/aifc
audio/midi: audio/x-midi audio/mid audio/x-mid audio/sp-midi application/x-midi application/midi music/midi
audio/amr: audio/x-amr
audio/matroska: audio/x-matroska
audio/x-ms-wma: audio/wma
audio/basic: audio/au audio/x-au
application/vnd.apple.mpegurl: application/x-mpegurl application/mpegurl audio/mpegurl audio/x-mpegurl audio/m3u audio/x-m3u application/m3u
audio/x-scpls: audio/scpls application/pls

video/mp4: video/x-m4v video/m4v video/mp4v-es video/x-mp4
video/quicktime: video/mov video/x-quicktime image/mov
video/mpeg: video/mpg video/x-mpeg video/x-mpg video/mpeg2 video/x-mpeg2 video/mpeg-system video/x-mpeg-system video/mp1s video/mp2p
video/mp2t: video/vnd.dlna.mpeg-tts video/x-mpegts video/mpegts video/x-mp2t video/mts
video/matroska: video/x-matroska video/mkv video/x-mkv
video/vnd.avi: video/x-msvideo video/avi video/msvideo video/x-avi application/x-troff-msvideo
video/ogg: video/x-ogg video/x-theora video/x-theora+ogg video/x-ogm video/x-ogm+ogg
video/3gpp: video/3gp video/x-3gp
audio/3gpp: audio/3gp
video/3gpp2: video/3g2
video/x-flv: video/flv application/x-flash-video flv-application/octet-stream
video/x-ms-wmv: video/wmv
video/x-ms-asf: video/x-ms-asf-plugin
application/vnd.adobe.flash.movie: application/x-shockwave-flash application/futuresplash application/x-shockwave-flash2-preview
application/ogg: application/x-ogg

font/ttf: application/x-font-ttf application/x-font-truetype application/font-ttf application/x-truetype-font font/truetype font/x-ttf application/x-ttf
font/sfnt: application/font-sfnt
font/otf: application/x-font-otf application/x-font-opentype application/font-otf font/opentype font/x-otf application/vnd.ms-opentype
font/woff: application/font-woff application/x-font-woff application/x-woff font/x-woff
font/woff2: application/font-woff2 application/x-font-woff2 font/x-woff2
font/collection: application/x-font-ttc font/ttc
application/vnd.ms-fontobject: application/x-font-eot font/eot

application/vnd.microsoft.portable-executable: application/x-msdownload application/x-msdos-program application/x-ms-dos-executable application/x-dosexec application/x-winexe application/exe application/x-exe application/dos-exe application/msdos-windows vms/exe
application/x-mach-binary: application/x-mach-o application/x-mach-o-executable application/x-mach-executable
application/java-vm: application/java application/x-java application/x-java-vm application/x-java-class application/java-byte-code
application/x-msi: application/x-ms-installer application/x-windows-installer application/vnd.ms-msi
application/vnd.appimage: application/x-iso9660-appimage application/appimage
application/vnd.android.package-archive: application/apk application/x-apk

application/pkcs12: application/x-pkcs12
application/pkcs7-mime: application/x-pkcs7-mime
application/pkcs7-signature: application/x-pkcs7-signature
application/pgp-encrypted: application/pgp application/x-pgp
application/fits: image/fits image/x-fits
application/dicom: image/dicom application/x-dicom image/x-dicom
model/stl: model/x.stl-ascii model/x.stl-binary application/sla application/x-navistyle application/stl
model/3mf: application/vnd.ms-3mfdocument application/vnd.ms-package.3dmanufacturing-3dmodel+xml
application/x-mobipocket-ebook: application/mobi application/x-mobi
application/vnd.apache.parquet: application/parquet application/x-parquet
`

const groups: readonly (readonly string[])[] = lines
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => line.split(/:? /))

const groupOf = new Map(groups.flatMap((names) => names.map((name) => [name, names] as const)))

/** All names of a media type, the stored one first. Expects lower case. */
export const namesOf = (essence: string): readonly string[] => groupOf.get(essence) ?? [essence]

/** The name under which a media type is stored and compared. */
export const canonicalType = (essence: string): string => groupOf.get(essence)?.[0] ?? essence

/** Each synonym with its stored name. */
export const synonyms: ReadonlyMap<string, string> = new Map(
  groups.flatMap(([stored = '', ...others]) => others.map((name) => [name, stored] as const)),
)
